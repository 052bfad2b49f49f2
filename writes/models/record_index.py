"""Which writes carried a value, by keyed digests of their values and nothing else.

A write of few values has a row for each; a larger one a row for each slice of its
digests, so that a look-up reads one slice of every such write (`files.rows.
record_digests`). The sweep deletes them with the files of the write.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import F

from ampersand import SecretStr
from console.fields import EncryptedField
from writes.models.write import Write


def new_key() -> SecretStr:
    """Return a key that nobody can guess, as text."""
    return SecretStr(secrets.token_hex(32))


class IndexKey(models.Model):
    """What all digests of this installation are made with: one row, made when needed.

    One key for all writes, so that a look-up makes one digest; encrypted at rest.
    """

    value: models.Field[Any, SecretStr] = EncryptedField("Key", default=new_key)

    def __str__(self) -> str:
        return "Key of the record index"

    @classmethod
    def current(cls) -> bytes:
        """Return the key. Raises `console.fields.UnreadableSecret`."""
        row, _ = cls.objects.get_or_create(pk=1)
        return bytes.fromhex(row.value.reveal())


class IndexedValue(models.Model):
    """That a write carried a value with this digest, 64 bits as a signed number."""

    pk = models.CompositePrimaryKey("digest", "write_id")
    digest = models.BigIntegerField()
    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"A value of write {self.write_id}"

    @staticmethod
    def signed(digest: int) -> int:
        """Return a digest as the column holds it."""
        return digest - (1 << 64) if digest >> 63 else digest


class _Within(models.Func):
    """Where bytes stand in others, 0 where they do not; counted from 1."""

    function = "INSTR"
    output_field = models.IntegerField()

    def as_postgresql(
        self, compiler: Any, connection: Any, **options: Any
    ) -> tuple[str, Sequence[Any]]:
        options |= {"template": "POSITION(%(expressions)s)", "arg_joiner": " IN "}
        twin = self.copy()
        twin.set_source_expressions(self.get_source_expressions()[::-1])
        return twin.as_sql(compiler, connection, **options)


class SliceQuerySet(models.QuerySet["IndexedSlice"]):
    """Questions asked of slices."""

    def with_digest(self, number: int, kept: bytes) -> "SliceQuerySet":
        """Return the slices of this number in which these bytes stand anywhere."""
        bytes_ = models.Value(kept, output_field=models.BinaryField())
        place = _Within(F("digests"), bytes_)
        return self.filter(slice=number).annotate(place=place).filter(place__gt=0)


class IndexedSlice(models.Model):
    """What is kept of the digests of a write that fall into one slice."""

    pk = models.CompositePrimaryKey("slice", "write_id")
    slice = models.SmallIntegerField()
    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="+")
    digests = models.BinaryField()

    objects = SliceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Slice {self.slice} of write {self.write_id}"
