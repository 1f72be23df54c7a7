"""Simulated camera-days: what twenty fixed cameras see hour after hour, as the embeddings that the product would record.

sites and views say what each camera looks at, acts what people do there, hours when they do it; pictures renders, record embeds,
and reading loads what was recorded. python -m demo.days FOLDER makes it, python -m demo.days.look FOLDER has a first look.
"""
