"""The base of every scenario table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import SchemaSerializer
from pydantic_core.core_schema import WithDefaultSchema


class ScenarioJsonSchema(GenerateJsonSchema):
    """JSON Schema whose defaults stand as a scenario file writes them: ``"1s"``, not 1000000000."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a value with a default."""
        result = super().default_schema(schema)
        default = self.get_default_value(schema)
        if isinstance(default, int | Decimal):
            result["default"] = SchemaSerializer(schema["schema"]).to_python(default, mode="json")
        return result


class Section(BaseModel):
    """Base of every scenario table: unknown keys and wrong types are errors; values are frozen.

    Validators raise ``ValueError`` with a text that begins with ``expected``; the loader puts the place and the value
    found in front of it. The docstring under a key describes it, unless its ``Field`` does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _arrays_become_tuples(cls, data: Any) -> Any:
        """Let the lists of a TOML file stand for tuples, which strict validation refuses."""
        if not isinstance(data, dict):
            return data
        tuples = {name for name, field in cls.model_fields.items() if _holds_tuples(field.annotation)}
        return {key: _as_tuples(value) if key in tuples else value for key, value in data.items()}

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """Return the JSON Schema, with defaults as a scenario file writes them; options as pydantic's."""
        if len(args) < 3:
            options.setdefault("schema_generator", ScenarioJsonSchema)
        return super().model_json_schema(*args, **options)


def _holds_tuples(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(_holds_tuples(part) for part in get_args(annotation))


def _as_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_tuples(child) for key, child in value.items()}
    return tuple(_as_tuples(child) for child in value) if isinstance(value, list) else value
