"""FROSTER's 29 prompts of a class: 28 templates and the class text itself."""

_STEMS = ("a photo of", "a video of", "a example of", "a demonstration of")  # "a example" is spelt so in the official code
_PERSONS = ("", "a person ", *(f"a person {verb} " for verb in ("using", "doing", "during", "performing", "practicing")))

TEMPLATES = tuple(f"{stem} {person}{{}}." for stem in _STEMS for person in _PERSONS)
RAW = len(TEMPLATES)  # the number of the prompt that is the bare text


def prompt(class_text: str, number: int) -> str:
    """Prompt `number` of 0..28. class_text is "label" or "label: description".

    A template takes the label, braces and all, and the whole text follows.
    """
    if number == RAW:
        return class_text
    label = class_text.partition(":")[0]
    return f"{TEMPLATES[number].format(label)} {class_text}"


def prompts(class_text: str) -> list[str]:
    """All 29, the bare text last."""
    return [prompt(class_text, i) for i in range(RAW + 1)]
