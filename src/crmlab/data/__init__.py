"""Customer data: which data sets there are, their tables, where they come from."""

from crmlab.data.catalog import (
    Card,
    Dataset,
    find_source,
    fingerprint_dataset,
    get_dataset,
    is_at_hand,
    list_datasets,
    load_card,
    load_dataset,
)

__all__ = [
    "Card",
    "Dataset",
    "find_source",
    "fingerprint_dataset",
    "get_dataset",
    "is_at_hand",
    "list_datasets",
    "load_card",
    "load_dataset",
]
