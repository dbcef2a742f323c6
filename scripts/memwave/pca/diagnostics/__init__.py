"""How accurate a model is: its certificate, and its distance from a more accurate model."""
