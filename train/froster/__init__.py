"""FROSTER's training recipe (ICLR 2024) for models that `frostwatch model import` takes."""
