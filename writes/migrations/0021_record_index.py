import console.fields
import django.db.models.deletion
import writes.models.record_index
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('writes', '0020_rows_of_the_grid'),
    ]

    operations = [
        migrations.CreateModel(
            name='IndexKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', console.fields.EncryptedField(default=writes.models.record_index.new_key, verbose_name='Key')),
            ],
        ),
        migrations.CreateModel(
            name='IndexedSlice',
            fields=[
                ('pk', models.CompositePrimaryKey('slice', 'write_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('slice', models.SmallIntegerField()),
                ('write', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='writes.write')),
                ('digests', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='IndexedValue',
            fields=[
                ('pk', models.CompositePrimaryKey('digest', 'write_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('digest', models.BigIntegerField()),
                ('write', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='writes.write')),
            ],
        ),
        migrations.AddField(
            model_name='write',
            name='indexed',
            field=models.CharField(blank=True, choices=[('', 'Not yet'), ('yes', 'Yes'), ('no_more', 'Not any more')], default='', db_default='', max_length=10),
        ),
        migrations.AddIndex(
            model_name='write',
            index=models.Index(fields=['indexed', 'state', 'source', 'integration', '-id'], name='write_by_indexed'),
        ),
    ]
