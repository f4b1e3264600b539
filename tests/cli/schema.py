"""A validator for the part of JSON Schema that docs/steering.schema.json uses; anything else in it is an error."""

TYPES = {
    "object": lambda v: isinstance(v, dict), "array": lambda v: isinstance(v, list), "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool), "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)}
NOTES = {"$schema", "$defs", "title", "description"}


def is_valid(value, schema, root=None):
    root = root or schema
    checks = {
        "$ref": lambda ref: is_valid(value, definition(ref, root), root),
        "type": lambda name: TYPES[name](value),
        "const": lambda constant: type(value) is type(constant) and value == constant,
        "enum": lambda values: value in values,
        "anyOf": lambda some: any(is_valid(value, one, root) for one in some),
        "minimum": lambda low: value >= low,
        "maximum": lambda high: value <= high,
        "minItems": lambda count: len(value) >= count,
        "maxItems": lambda count: len(value) <= count,
        "items": lambda item: all(is_valid(one, item, root) for one in value),
        "required": lambda names: all(name in value for name in names),
        "properties": lambda table: all(is_valid(value[name], one, root) for name, one in table.items() if name in value),
        "additionalProperties": lambda allowed: allowed or set(value) <= set(schema["properties"])}
    if "type" in schema and not TYPES[schema["type"]](value):
        return False
    return all(checks[key](operand) for key, operand in schema.items() if key not in NOTES)


def definition(ref, root):
    name = ref.removeprefix("#/$defs/")
    return root["$defs"][name]
