"""The tables of a card: options, inputs, outputs, records and connections. One row is one `field`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from connector.sdk.errors import Fault, InvalidCall, Unexpected
from connector.sdk.kinds import ANY, PLAIN, TEXT, Digits, Json, Kind, Reader, choice_reader, missing, not_blank
from connector.sdk.masks import HIDDEN
from connector.sdk.words import label_of

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Mark:
    """What a row says beyond its type: kept in pydantic's metadata, read back by `rows`."""

    secret: bool = False
    target: bool = False
    labels: Labels | None = None
    choices: str | None = None
    at: str | None = None
    digits: Digits | None = None
    items: type["Record"] | None = None
    group: bool = False


def field(
    says: str,
    *,
    label: str | None = None,
    secret: bool = False,
    target: bool = False,
    labels: Labels | None = None,
    choices: str | None = None,
    at: str | None = None,
    digits: int | None = None,
    items: type["Record"] | None = None,
    **limits: Any,
) -> Any:
    """One row of the guide's table.

    says: what the row holds, one sentence without a full stop.
    label: the guide's label, where it is not the key in title case.
    secret: shown to the caller only; never logged or kept.
    target: names what the card acts on, such as a device: kept in the audit, shown to who approves.
    labels: for a `Literal`, the label of each choice; a call may send either.
    choices: a live dropdown, `"kandji.list_blueprints:id,name"` (list card, value key, label key).
    at: where the service has it: a parameter's or a key's name, or a path such as `user.email` in an answer.
    digits: exactly so many ASCII digits.
    items: what the objects of a List are.
    limits: pydantic's constraints (`max_length`, `pattern`, `ge`, `le`).
    """
    mark = Mark(secret, target, labels, choices, at, Digits(digits) if digits else None, items)
    return _row(says, label, mark, limits)


def group(label: str, *, at: str | None = None, says: str = "") -> Any:
    """Rows under a heading of their own: an object in the answer, always present."""
    return _row(says or label, label, Mark(at=at, group=True), {"default": {}, "validate_default": True})


def _row(says: str, label: str | None, mark: Mark, limits: Mapping[str, Any]) -> FieldInfo:
    info: FieldInfo = Field(description=says, title=label, **limits)
    info.metadata.append(mark)
    return info


class Table(BaseModel):
    """Rows with their kinds. Values are converted by the kind's own reader, never by pydantic's guesses."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, validate_by_name=True, validate_by_alias=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if not cls.model_fields:
            return
        for info in _own(cls):
            _complete(info, aliased=bool(cls.model_config.get("validate_by_alias")))
        cls.model_rebuild(force=True)


class CardOptions(Table):
    """Design-time choices; they decide which outputs a card has."""

    model_config = ConfigDict(extra="forbid")


class CardInputs(Table):
    """What a call gives. `any_of=("id", "name")` asks for at least one of these."""

    model_config = ConfigDict(extra="forbid")
    any_of: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, any_of: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if any_of:
            cls.any_of = any_of

    def given(self, *, but: str = "") -> Json:
        """The values that were given, where the service has them; `but` leaves one out (it stands in the path)."""
        return self._placed(row for row in rows(type(self)) if row.key != but)

    def required(self, *keys: str) -> Json:
        """These values, where the service has them; refused where one is missing (what a call needs may depend)."""
        needed = [row for row in rows(type(self)) if row.key in keys]
        missing = [
            Fault(f"inputs/{row.key}", row.asked_for("input")) for row in needed if getattr(self, row.key) is None
        ]
        if missing:
            raise InvalidCall.of(missing)
        return self._placed(needed)

    def _placed(self, some: Iterable["Row"]) -> Json:
        body: Json = {}
        for row in some:
            *above, last = row.name.split(".")
            if (value := getattr(self, row.key)) is not None:
                reduce(lambda part, key: part.setdefault(key, {}), above, body)[last] = value
        return body


class CardOutputs(Table):
    """What a card answers. `when={"details": "full"}` says for which option this table appears."""

    model_config = ConfigDict(extra="ignore", validate_by_alias=True)
    when: ClassVar[Labels] = {}

    def __init_subclass__(cls, when: Labels | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if when:
            cls.when = when

    @classmethod
    def of(cls, answer: Json, **more: Any) -> Self:
        """Read a service's answer: each row from where the service has it; `more` are rows it does not have."""
        try:
            return cls.model_validate({**answer, **more}, by_alias=True, by_name=False)
        except ValidationError as error:
            where = "/".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
            raise Unexpected(f"The service answered {where} in a form that it never promised.") from error

    def without_secrets(self) -> Self:
        """The same for who may not see them."""
        secret = {row.key: HIDDEN for row in rows(type(self)) if row.mark.secret and getattr(self, row.key) is not None}
        return self.model_copy(update=secret) if secret else self


class Record(Table):
    """One record of a list, as the service sends it: documents the known keys, keeps unknown ones.

    `identity="device_id"` names the key that tells one record from another: a list that shifts while it is read may
    send a record twice, and a stream then skips the second.
    """

    model_config = ConfigDict(extra="allow")
    identity: ClassVar[str] = ""

    def __init_subclass__(cls, identity: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if identity:
            cls.identity = identity


@dataclass(frozen=True)
class Row:
    """A row read back from a table: what schemas, forms and checks need to know."""

    key: str
    label: str
    says: str
    kind: Kind
    required: bool
    default: Any
    mark: Mark
    choices: tuple[str, ...]
    limits: tuple[Any, ...]
    group: type[Table] | None
    item: Kind | None = None  # of a `list[str]`

    @property
    def name(self) -> str:
        """The service's name for it."""
        return self.mark.at or self.key

    def asked_for(self, noun: str) -> str:
        """Okta's sentence for a required value that is missing, null or blank."""
        if self.choices:
            return f"No {self.label} {noun} provided. Choose one of: {', '.join(self.choices)}."
        return f"No {self.label} {noun} provided. Enter a valid {self.label}."

    def label_of_choice(self, choice: str) -> str:
        return (self.mark.labels or {}).get(choice) or label_of(choice)


@cache
def rows(table: type[Table]) -> tuple[Row, ...]:
    """The rows of a table, in the order they were declared (inherited ones first)."""
    return tuple(_read_back(key, info) for key, info in table.model_fields.items())


def _read_back(key: str, info: FieldInfo) -> Row:
    mark = _mark(info)
    grouped = info.annotation if mark.group and isinstance(info.annotation, type) else None
    return Row(
        key=key,
        label=info.title or label_of(key),
        says=info.description or "",
        kind=_kind(info),
        required=info.is_required(),
        default=None if info.is_required() else info.default,
        mark=mark,
        choices=_choices(info),
        limits=tuple(item for item in info.metadata if not isinstance(item, Mark | Kind | BeforeValidator)),
        group=grouped,
        item=_item(info),
    )


def _own(table: type[Table]) -> list[FieldInfo]:
    """The rows this class declares itself; inherited ones are complete already."""
    return [info for key, info in table.model_fields.items() if key in get_annotations(table)]


def _complete(info: FieldInfo, *, aliased: bool) -> None:
    """Give a row what its type does not carry: a reader, the empty default, the service's name."""
    mark, type_ = _mark(info), _without_none(info.annotation)
    optional = type_ != info.annotation or _kind(info) is ANY
    if mark.group:
        info.metadata.append(BeforeValidator(lambda value: value or {}))
    elif reader := _reader(mark, type_, _kind(info)):
        blank = missing() if info.is_required() else info.default
        info.metadata.append(BeforeValidator(reader if optional else not_blank(reader, blank)))
    if optional and info.is_required():
        info.default = None
    if aliased and mark.at is not None:
        info.validation_alias = AliasPath(*mark.at.split("."))


def _reader(mark: Mark, type_: Any, kind: Kind) -> Reader | None:
    if mark.digits:
        return mark.digits.read
    if get_origin(type_) is Literal:
        labels = mark.labels or {}
        return choice_reader({choice: labels.get(choice) or label_of(choice) for choice in get_args(type_)})
    return kind.read if (get_origin(type_) or type_) in PLAIN else None  # `list[str]` is read as a list


def _mark(info: FieldInfo) -> Mark:
    return next((item for item in info.metadata if isinstance(item, Mark)), Mark())


def _kind(info: FieldInfo) -> Kind:
    kind = next((item for item in info.metadata if isinstance(item, Kind)), None)
    type_ = _without_none(info.annotation)
    return kind or PLAIN.get(get_origin(type_) or type_, TEXT if get_origin(type_) is Literal else ANY)


def _choices(info: FieldInfo) -> tuple[str, ...]:
    type_ = _without_none(info.annotation)
    return get_args(type_) if get_origin(type_) is Literal else ()


def _item(info: FieldInfo) -> Kind | None:
    type_ = _without_none(info.annotation)
    return PLAIN.get(get_args(type_)[0]) if get_origin(type_) is list else None


def _without_none(annotation: Any) -> Any:
    """The type itself: `str` of `str | None`."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    some = tuple(type_ for type_ in get_args(annotation) if type_ is not NoneType)
    return some[0] if len(some) == 1 else Union[some]  # noqa: UP007
