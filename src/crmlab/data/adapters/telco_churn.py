"""Telco churn: customers of a telephone company at the end of a month, one row each.

"No internet service" and "No phone service" in the columns of single services mean that the
customer does not have that service; whether there is a line at all is said by `has_phone` and
`internet_service`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]

_CONTRACTS = {"Month-to-month": "month_to_month", "One year": "one_year", "Two year": "two_year"}
_INTERNET = {"DSL": "dsl", "Fiber optic": "fiber", "No": "no_internet"}
_PAYMENTS = {
    "Electronic check": "electronic_check",
    "Mailed check": "mailed_check",
    "Bank transfer (automatic)": "bank_transfer",
    "Credit card (automatic)": "credit_card",
}
_SERVICES = {
    "has_phone": "PhoneService",
    "has_multiple_lines": "MultipleLines",
    "has_online_security": "OnlineSecurity",
    "has_online_backup": "OnlineBackup",
    "has_device_protection": "DeviceProtection",
    "has_tech_support": "TechSupport",
    "has_streaming_tv": "StreamingTV",
    "has_streaming_movies": "StreamingMovies",
}


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the table customers of the telephone company, and that nothing was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the customers, a CSV.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `customers`; `total_charge` is missing for the customers who have not yet been billed
        (11, all with a tenure of 0 months), as the file leaves it blank.
    left_out : list
        Empty.
    """
    (path,) = paths.values()
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    customers = pd.DataFrame(
        {
            "customer_id": rows["customerID"],
            "gender": rows["gender"].str.lower(),
            "tenure_months": rows["tenure"].astype("int64"),
            "contract": rows["Contract"].map(_CONTRACTS),
            "monthly_charge": rows["MonthlyCharges"].astype("float64"),
            "is_churned": rows["Churn"] == "Yes",
            "total_charge": rows["TotalCharges"].str.strip().replace("", "nan").astype("float64"),
            "is_senior": rows["SeniorCitizen"] == "1",
            "has_partner": rows["Partner"] == "Yes",
            "has_dependents": rows["Dependents"] == "Yes",
            "internet_service": rows["InternetService"].map(_INTERNET),
            "payment_method": rows["PaymentMethod"].map(_PAYMENTS),
            "has_paperless_billing": rows["PaperlessBilling"] == "Yes",
        }
        | {name: rows[column] == "Yes" for name, column in _SERVICES.items()}
    )
    return {"customers": customers}, []
