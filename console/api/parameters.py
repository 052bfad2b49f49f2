"""What stands behind the "?": a GET form, as pages have them, and nothing else."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, QueryDict
from django.utils.choices import flatten_choices

from console.api.problems import Problem
from console.ui.periods import MomentField

# What makes the form for a query of a person.
QueryMaker = Callable[[QueryDict, User], forms.Form]

PAGE = 100
LARGEST_PAGE = 500
_MINUTE = (
    r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]$"
)
_MULTIPLE = (forms.MultipleChoiceField, forms.ModelMultipleChoiceField)
# At least one sign that is no space, and none that `validate_line` refuses.
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$"


class Limited(forms.Form):
    """How many rows a page has."""

    limit = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_PAGE)

    @property
    def size(self) -> int:
        """The limit that was given, or the usual one."""
        return self.cleaned_data["limit"] or PAGE


def nothing(query: QueryDict, user: User) -> forms.Form:
    """Return the form of an address that takes no parameter."""
    return forms.Form(query)


def checked(request: HttpRequest, make: QueryMaker) -> Any:
    """Return the form with clean values. Raises `Problem` that names what is wrong."""
    form = make(request.GET, request.user)  # type: ignore[arg-type]
    errors = list(_amiss(form, request.GET))
    if not errors and not form.is_valid():
        errors = [
            {
                "parameter": "" if name == "__all__" else name,
                "detail": " ".join(map(str, texts)),
            }
            for name, texts in form.errors.items()
        ]
    if errors:
        detail = "Nothing was read. See errors: which parameter is wrong, and why."
        raise Problem(400, "Bad request", detail, errors=errors)
    return form


def _amiss(form: forms.Form, query: QueryDict) -> Any:
    for name, values in query.lists():
        field = form.fields.get(name)
        if field is None:
            known = ", ".join(form.fields) or "none"
            text = f"There is no such parameter. Known: {known}."
        elif len(values) > 1 and not isinstance(field, _MULTIPLE):
            text = "Give it once."
        elif not all(value.strip() for value in values):
            text = "Give a value, or leave it out."
        else:
            continue
        yield {"parameter": name[:100], "detail": text}


def described(make: QueryMaker) -> list[dict[str, Any]]:
    """Return the parameters as OpenAPI describes them."""
    # Somebody who may see everything: so no word is missing. Nothing is asked or kept.
    form = make(QueryDict(), User(is_superuser=True))
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": str(field.label or field.help_text or name),
            "schema": _schema(field),
        }
        for name, field in form.fields.items()
    ]


def _schema(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, _MULTIPLE):
        one = _of_rows() if hasattr(field, "queryset") else _of_words(field)
        return {"type": "array", "items": one, "minItems": 1}
    if isinstance(field, forms.ModelChoiceField):
        return _of_rows()
    if isinstance(field, forms.ChoiceField):
        return _of_words(field)
    if isinstance(field, forms.IntegerField):
        bounds = {"minimum": field.min_value, "maximum": field.max_value}
        return {"type": "integer", **{k: v for k, v in bounds.items() if v is not None}}
    if isinstance(field, forms.DateTimeField):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, MomentField):
        # A day, or a minute of it.
        day = {"type": "string", "format": "date"}
        return {"anyOf": [day, {"type": "string", "pattern": _MINUTE}]}
    if isinstance(field, forms.GenericIPAddressField):
        of_both = [{"type": "string", "format": f"ipv{n}"} for n in (4, 6)]
        return {"anyOf": of_both}
    if isinstance(field, forms.DateField):
        return {"type": "string", "format": "date"}
    if isinstance(field, forms.BooleanField):
        return {"type": "boolean"}
    longest = getattr(field, "max_length", None)
    limit = {"maxLength": longest} if longest else {}
    return {"type": "string", "minLength": 1, "pattern": _LINE, **limit}


def _of_rows() -> dict[str, Any]:
    return {"type": "integer", "minimum": 1}


def _of_words(field: Any) -> dict[str, Any]:
    words = [str(word) for word, _ in flatten_choices(field.choices) if word]
    return {"type": "string", **({"enum": words} if words else {})}
