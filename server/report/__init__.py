"""The report of a run: typed results, one page, figures, tables, a model card."""
