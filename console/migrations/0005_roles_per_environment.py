"""Members of the groups of 0002 have that role in every environment from now on."""

from django.db import migrations

# Each includes the ones before it.
ROLES = ("viewer", "operator", "admin")
ENVIRONMENTS = ("sandbox", "test", "production")


def groups_to_grants(apps, schema_editor):
    """Give everybody the highest role of their groups, then remove the groups."""
    alias = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(alias)
    grants = apps.get_model("console", "Grant").objects.using(alias)
    members = group.filter(name__in=ROLES).values_list("name", "user")
    for role, user_id in sorted(members, key=lambda member: ROLES.index(member[0])):
        for environment in ENVIRONMENTS if user_id else ():
            grants.update_or_create(
                user_id=user_id, environment=environment, defaults={"role": role}
            )
    group.filter(name__in=ROLES).delete()


def grants_to_groups(apps, schema_editor):
    """Give back the lowest of a person's roles: never more than they had anywhere."""
    alias = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(alias)
    groups = {role: group.get_or_create(name=role)[0] for role in ROLES}
    roles = {}
    for grant in apps.get_model("console", "Grant").objects.using(alias).all():
        roles.setdefault(grant.user_id, []).append(grant.role)
    for user_id, held in roles.items():
        if len(held) == len(ENVIRONMENTS):
            groups[min(held, key=ROLES.index)].user_set.add(user_id)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0004_grants"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(groups_to_grants, grants_to_groups)]
