"""From files to tables, one table each: telephone customers, the Kano survey, complaint tickets.

Real data is read where CRMLAB_MIRROR points; without it those tests are skipped.
"""

import csv
from collections import Counter
from decimal import Decimal

import pandas as pd
import pytest

from crmlab.data import load_dataset
from crmlab.data.adapters import comcast_complaints, kano_transfers, telco_churn

# Telco churn

TELCO = (
    "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,"
    "InternetService,OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,"
    "StreamingMovies,Contract,PaperlessBilling,PaymentMethod,MonthlyCharges,TotalCharges,Churn\n"
    "7590-VHVEG,Female,0,Yes,No,1,No,No phone service,DSL,No,Yes,No,No,No,No,Month-to-month,Yes,"
    "Electronic check,29.85,29.85,Yes\n"
    "4472-LVYGI,Male,1,No,Yes,0,Yes,No,No,No internet service,No internet service,"
    "No internet service,No internet service,No internet service,No internet service,Two year,No,"
    "Bank transfer (automatic),52.55, ,No\n"
)


def test_telco_blank_charge_is_missing_and_a_service_without_a_line_is_not_had(tmp_path):
    path = tmp_path / "telco.csv"
    path.write_text(TELCO)
    tables, left_out = telco_churn.read({path.name: path})
    customers = tables["customers"]
    assert customers["total_charge"].isna().tolist() == [False, True]
    assert customers["has_multiple_lines"].tolist() == [False, False]
    assert customers["has_online_backup"].tolist() == [True, False]
    assert customers["internet_service"].tolist() == ["dsl", "no_internet"]
    assert customers["contract"].tolist() == ["month_to_month", "two_year"]
    assert customers["payment_method"].tolist() == ["electronic_check", "bank_transfer"]
    assert customers["is_churned"].tolist() == [True, False]
    assert customers["is_senior"].tolist() == [False, True]
    assert left_out == []


@pytest.mark.usefixtures("mirror")
def test_telco_has_the_published_customers_and_churn():
    # 7,043 customers, 1,869 left, 26.5%: the figures that every account of the file prints.
    customers = load_dataset("telco_churn").tables["customers"]
    assert len(customers) == 7043
    assert customers["is_churned"].sum() == 1869
    assert round(100 * customers["is_churned"].mean(), 1) == 26.5
    blank = customers["total_charge"].isna()
    assert blank.sum() == 11
    assert (customers.loc[blank, "tenure_months"] == 0).all()
    assert not customers.drop(columns="total_charge").isna().to_numpy().any()


def test_telco_charges_and_services_add_up_by_hand(mirror):
    charges, services = Counter(), Counter()
    with (mirror / "telco_churn/Telco-Customer-Churn.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            charges[row["Contract"], row["Churn"]] += Decimal(row["MonthlyCharges"])
            for column, value in row.items():
                services[column] += value == "Yes"
    customers = load_dataset("telco_churn").tables["customers"]
    ours = customers.groupby(["contract", "is_churned"])["monthly_charge"].sum()
    words = {"month_to_month": "Month-to-month", "one_year": "One year", "two_year": "Two year"}
    for (contract, is_churned), value in ours.items():
        theirs = charges[words[contract], "Yes" if is_churned else "No"]
        assert value == pytest.approx(float(theirs), abs=1e-6)
    names = {
        "has_partner": "Partner",
        "has_dependents": "Dependents",
        "has_phone": "PhoneService",
        "has_multiple_lines": "MultipleLines",
        "has_online_security": "OnlineSecurity",
        "has_online_backup": "OnlineBackup",
        "has_device_protection": "DeviceProtection",
        "has_tech_support": "TechSupport",
        "has_streaming_tv": "StreamingTV",
        "has_streaming_movies": "StreamingMovies",
        "has_paperless_billing": "PaperlessBilling",
    }
    assert {ours: customers[ours].sum() for ours in names} == {
        ours: services[theirs] for ours, theirs in names.items()
    }


# Kano transfers

TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")  # Kano's, as in Berger et al. (1993)


@pytest.mark.usefixtures("mirror")
def test_kano_has_the_published_respondents_and_pairs_of_questions():
    dataset = load_dataset("kano_transfers")
    survey, items = dataset.tables["survey"], dataset.tables["items"]
    assert len(survey) == 358
    assert survey["respondent_id"].iloc[[0, -1]].tolist() == ["ALL1-1", "ALL1-363"]
    assert survey["income"].isna().sum() == 60
    kinds = {"kano_functional", "kano_dysfunctional", "importance"}
    assert (items.groupby("feature")["construct"].agg(set) == kinds).all()
    assert items["feature"].nunique() == 6
    assert items["text_en"].is_unique
    assert items["text_zh"].is_unique
    assert not survey[items["item"]].isna().to_numpy().any()


def test_kano_pairs_fall_into_the_categories_counted_from_the_words(mirror):
    words = ["I like it", "I expect it", "I am neutral", "I can tolerate it", "I dislike it"]
    place = {word: number for number, word in enumerate(words)}
    counted = {}
    with (mirror / "kano_transfers/transfers.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for number in range(6, 12):
        pairs = [(row[f"F{number}_functional"], row[f"F{number}_dysfunctional"]) for row in rows]
        counted[number] = Counter(TABLE[place[a]][place[b]] for a, b in pairs)
    survey = load_dataset("kano_transfers").tables["survey"]
    for number, theirs in counted.items():
        pair = survey[[f"F{number}_functional", f"F{number}_dysfunctional"]].astype(int)
        assert Counter(TABLE[a - 1][b - 1] for a, b in pair.to_numpy()) == theirs
        functional = [1 + place[row[f"F{number}_functional"]] for row in rows]
        assert survey[f"F{number}_functional"].tolist() == functional
        importance = [int(row[f"F{number}_importance"][0]) for row in rows]
        assert survey[f"F{number}_importance"].tolist() == importance
    assert counted[10].most_common(1) == [("O", 174)]  # security: the more the better
    assert counted[6].most_common(1) == [("I", 177)]  # anonymity: indifferent


def test_kano_answer_in_other_words_is_refused_with_its_row(mirror, tmp_path):
    text = (mirror / "kano_transfers/transfers.csv").read_text()
    path = tmp_path / "transfers.csv"
    path.write_text(text.replace("I can tolerate it", "I can live with it that way"))
    with pytest.raises(ValueError, match=r"F6_functional, row 2: 'I can live with .* no answer of"):
        kano_transfers.read({path.name: path})


# Comcast complaints

COMCAST = (
    "Ticket #,Customer Complaint,Date,Date_month_year,Time,Received Via,City,State,Zip code,"
    "Status,Filing on Behalf of Someone\n"
    "250635,Comcast data cap billing,22-04-2015,22-Apr-15,3:53:50 PM,Customer Care Call,Abingdon,"
    "Maryland,21009,Closed,No\n"
    "223441,Overcharged,04-08-2015,04-Aug-15,12:22:56 AM,Internet,Lynn,District Of Columbia,1902,"
    "Open,Yes\n"
    "300001,Comcast,05-06-2015,05-Jun-15,12:00:00 PM,Internet,Lynn,Massachusetts,1902,Solved,No\n"
)


def read_comcast(folder, text=COMCAST):
    path = folder / "comcast.csv"
    path.write_text(text)
    return comcast_complaints.read({path.name: path})[0]["tickets"]


def test_comcast_date_whose_parts_have_changed_places_is_put_right(tmp_path):
    opened = read_comcast(tmp_path)["opened_at"]
    assert opened.astype("str").tolist() == [
        "2015-04-22 15:53:50",
        "2015-04-08 00:22:56",
        "2015-05-06 12:00:00",
    ]


def test_comcast_ticket_keeps_its_zero_and_says_what_it_is_about(tmp_path):
    tickets = read_comcast(tmp_path)
    assert tickets["postal_code"].tolist() == ["21009", "01902", "01902"]
    assert tickets["state"].tolist()[1] == "District of Columbia"
    assert tickets["category"].tolist() == ["data_cap", "billing", "other"]
    assert tickets["channel"].tolist() == ["telephone", "web", "web"]
    assert tickets["status"].tolist() == ["closed", "open", "solved"]
    assert tickets["is_filed_for_other"].tolist() == [False, True, False]
    assert tickets["customer_id"].isna().all()


@pytest.mark.usefixtures("mirror")
def test_comcast_has_the_published_tickets():
    # 2,224 tickets; 973 solved, 734 closed, 363 open, 154 pending; 1,119 by telephone.
    tickets = load_dataset("comcast_complaints").tables["tickets"]
    assert len(tickets) == 2224
    assert Counter(tickets["status"]) == {"solved": 973, "closed": 734, "open": 363, "pending": 154}
    assert Counter(tickets["channel"]) == {"telephone": 1119, "web": 1105}
    assert tickets["is_complaint"].all()
    assert tickets["postal_code"].str.fullmatch(r"\d{5}").all()


@pytest.mark.usefixtures("mirror")
def test_comcast_tickets_follow_in_time_as_their_numbers_do():
    # The numbers know nothing of how we read a date: as the file has it, they would go backwards.
    dataset = load_dataset("comcast_complaints")
    tickets = dataset.tables["tickets"]
    numbered = tickets[tickets["ticket_id"].str.isdigit()]
    assert tickets["ticket_id"][~tickets["ticket_id"].str.isdigit()].tolist() == ["comcas"]
    opened = numbered.sort_values("ticket_id", key=lambda text: text.astype(int))["opened_at"]
    assert opened.is_monotonic_increasing
    first, last = tickets["opened_at"].min().normalize(), tickets["opened_at"].max().normalize()
    assert (first, last) == (dataset.observed_from, dataset.observed_to)
    assert opened.dt.month.isin([4, 5, 6]).all()
    in_place = pd.Timestamp("2015-06-24")  # the busiest day, which no reading moves
    assert opened.dt.normalize().mode().tolist() == [in_place]
