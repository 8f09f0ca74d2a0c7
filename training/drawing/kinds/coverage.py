"""Papers between providers and health plans: claims, requests for authorization, explanations of benefits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random

from training.drawing.content import (
    BoxForm,
    Column,
    Content,
    Entries,
    Entry,
    Grid,
    Heading,
    Lines,
    NumberedBox,
    Part,
    Piece,
    Title,
    Totals,
    entry,
    line,
    piece,
)
from training.drawing.kinds.clinic import CODES, PLANS, SERVICES, Clinic
from training.drawing.world import address_lines


def claim(random: Random) -> Content:
    """A claim, in numbered boxes as the national form has them or as an electronic claim printed out."""
    house = Clinic(random)
    say, world = house.say, house.world
    insured = world.person() if random.random() < 0.4 else house.patient
    boxed = random.random() < 0.5
    rows, total = _services(house)
    paid = (total * Decimal("0.2")).quantize(Decimal("0.01"))
    facts = [
        entry("Insured's I.D. number" if boxed else say("Member ID", "Insured ID number"), house.member(), "insured_id"),
        entry("Patient's name" if boxed else "Patient name", house.patient, "patient_name"),
        house.birth("patient_date_of_birth", label="Patient's birth date" if boxed else say("Date of birth", "DOB")),
        entry("Sex", house.sex[0] if boxed else house.sex, "patient_sex"),
        entry("Insured's name" if boxed else say("Insured name", "Subscriber"), insured, "insured_name"),
        entry(
            "Patient relationship to insured" if boxed else "Relationship to insured",
            "Self" if insured == house.patient else "Spouse",
            "relationship_to_insured",
        ),
        entry("Insured's policy group or FECA number" if boxed else "Group number", world.code_like("4####"), "group_number"),
        entry(
            "Insurance plan name or program name" if boxed else say("Plan name", "Insurance plan"),
            say("PPO Gold", "HMO Standard", "Choice Plus"),
            "plan_name",
        ),
        entry("Patient's account no." if boxed else "Patient account number", world.code_like("4#####"), "patient_account_number"),
        entry("Federal tax I.D. number" if boxed else "Federal tax ID", world.code_like("4#-#######"), "federal_tax_id"),
        entry(
            "Name of referring provider" if boxed else say("Referring provider", "Referring physician"),
            house.doctor(),
            "referring_provider",
        ),
        entry("Prior authorization number", world.code_like("PA######"), "prior_authorization_number"),
    ]
    money = [
        entry(
            "Total charge" if boxed else say("Total charge", "Total charges"),
            world.shown_amount(total, sign=True),
            "total_charge",
            value=float(total),
        ),
        entry("Amount paid", world.shown_amount(paid, sign=True), "amount_paid", value=float(paid)),
        entry("Balance due", world.shown_amount(total - paid, sign=True), "balance_due", value=float(total - paid)),
    ]
    provider = [
        entry(say("Billing provider", "Billing provider name"), house.clinic, "billing_provider.name"),
        entry(say("Billing provider NPI", "NPI"), house.npi(), "billing_provider_npi"),
        entry(say("Billing phone", "Phone"), world.phone(), "billing_provider.phone"),
    ]
    parts: list[Part] = [Title(line(say("Health Insurance Claim", "Health Insurance Claim Form", "Medical Claim")))]
    if boxed:
        parts.append(BoxForm([NumberedBox(str(at + 1), fact) for at, fact in enumerate(facts)], 3))
    else:
        head = [
            entry("Claim number", world.code_like("CLM-4######"), "claim_number"),
            entry(say("Payer", "Insurance company"), random.choice(PLANS), "payer_name"),
        ]
        head.append(house.day(say("Claim date", "Date of claim"), "claim_date"))
        parts += [Entries(head), Heading("Patient and insured"), Entries(facts)]
    parts += [
        Heading("Diagnosis"),
        house.diagnoses(2),
        Heading("Services"),
        rows,
        Totals(money, 0),
        Heading("Billing provider"),
        Entries(provider),
    ]
    return Content(
        parts,
        "letter",
        unscored=(
            "form_type",
            "insurance_type",
            "service_facility",
            "billing_provider.identifier",
            "rendering_provider",
            "rendering_provider_npi",
            "insured_date_of_birth",
        ),
    )


def _services(house: Clinic) -> tuple[Grid, Decimal]:
    world, random = house.world, house.random
    total, rows = Decimal(0), list[list[Piece]]()
    start = world.day()
    for at in range(random.choice((2, 3, 4))):
        row, (code, words) = f"service_lines.{at}", random.choice(SERVICES)
        units, price = random.randint(1, 3), world.amount(40, 900)
        day = start + timedelta(days=at)
        total += units * price
        rows.append(
            [
                piece(world.shown_day(day), f"{row}.date_from", value=day.isoformat()),
                piece(code, f"{row}.procedure_code"),
                piece(words, f"{row}.description"),
                piece(str(units), f"{row}.units", value=units),
                piece(world.shown_amount(units * price, sign=False), f"{row}.charge", value=float(units * price)),
            ]
        )
    labels = (
        house.say("Date of service", "Service date"),
        house.say("CPT/HCPCS", "Procedure code"),
        "Description",
        house.say("Units", "Days or units"),
        house.say("Charges", "Charge"),
    )
    return Grid([Column(label, 2.2 if at == 2 else 1.1, at > 2) for at, label in enumerate(labels)], rows), total


def authorization(random: Random) -> Content:
    """A request that a plan allow a service before it is given."""
    house = Clinic(random)
    say, world = house.say, house.world
    about = [
        house.day(say("Request date", "Date of request"), "request_date"),
        entry(say("Review type", "Type of review"), say("Standard", "Expedited", "Urgent"), "review_type"),
        entry(say("Health plan", "Insurance company", "Payer"), random.choice(PLANS), "health_plan"),
        entry(say("Plan fax", "Fax number of plan"), world.phone(), "plan_fax"),
    ]
    who = [
        entry(say("Member name", "Patient name"), house.patient, "member_name"),
        entry(say("Member ID", "Subscriber ID"), house.member(), "member_id"),
        entry(say("Group number", "Group #"), world.code_like("4####"), "group_number"),
        house.birth("date_of_birth"),
        entry(say("Gender", "Sex"), house.sex, "gender"),
        house.phone(say("Member phone", "Phone"), "member_phone"),
        house.address(say("Member address", "Address"), "member_address"),
    ]
    asks = [
        entry(say("Requesting provider", "Ordering provider"), house.doctor(), "requesting_provider.name"),
        entry("NPI", house.npi(), "requesting_provider.npi"),
        entry("Specialty", say("Orthopedics", "Pulmonology", "Cardiology"), "requesting_provider.specialty"),
        entry(say("Provider phone", "Phone"), world.phone(), "requesting_provider.phone"),
        entry(say("Provider fax", "Fax"), world.phone(), "requesting_provider.fax"),
        entry(say("Contact person", "Office contact"), world.person(), "contact_person"),
    ]
    serves = [
        entry(say("Servicing provider", "Servicing facility", "Rendering provider"), house.clinic, "servicing_provider.name"),
        entry("NPI", house.npi(), "servicing_provider.npi"),
    ]
    start = world.day()
    end = start + timedelta(days=90)
    (code, words), (icd, why) = random.choice(SERVICES), random.choice(CODES)
    units = random.randint(1, 12)
    if random.random() < 0.5:
        chosen = random.sample(SERVICES, 2)
        rows = [
            [
                piece(c, f"services.{at}.code"),
                piece(w, f"services.{at}.description"),
                piece(str(at + 2), f"services.{at}.units", value=at + 2),
            ]
            for at, (c, w) in enumerate(chosen)
        ]
        services: list[Part] = [
            house.diagnoses(2),
            Grid([Column(say("CPT code", "Code"), 1), Column(say("Service", "Description"), 3), Column("Units", 0.8, True)], rows),
        ]
    else:
        services = [
            Entries(
                [
                    entry(say("Diagnosis code", "ICD-10 code"), icd, "diagnoses.0.code"),
                    entry(say("Diagnosis", "Diagnosis description"), why, "diagnoses.0.description"),
                    entry(say("CPT code", "Procedure code"), code, "services.0.code"),
                    entry(say("Service description", "Service requested"), words, "services.0.description"),
                    entry(say("Number of units", "Units"), str(units), "services.0.units", value=units),
                ]
            )
        ]
    when = [
        entry("Place of service", say("Outpatient hospital", "Inpatient", "Home", "Office"), "place_of_service"),
        entry(say("Start date", "Service start date"), world.shown_day(start), "service_start_date", value=start.isoformat()),
        entry(say("End date", "Service end date"), world.shown_day(end), "service_end_date", value=end.isoformat()),
        entry(
            say("Clinical justification", "Medical necessity"),
            say("Failed six months of physical therapy", "Symptoms persist despite medication", "Required before surgery"),
            "clinical_justification",
        ),
    ]
    parts: list[Part] = [
        house.letterhead(),
        Title(line(say("Prior Authorization Request", "Prior Authorization Request Form", "Request for Prior Approval"))),
        Entries(about),
    ]
    parts += [
        Heading("Member"),
        Entries(who),
        Heading("Requesting provider"),
        Entries(asks),
        Heading("Servicing provider"),
        Entries(serves),
    ]
    parts += [Heading("Services"), *services, Entries(when)]
    unscored = ("requesting_provider.organization", "servicing_provider.organization", "request_type", "medication")
    return Content(parts, "letter", unscored=unscored)


def benefits(random: Random) -> Content:
    """A plan's account of what it paid and what the member owes."""
    house = Clinic(random)
    say, world = house.say, house.world
    plan = random.choice(PLANS)
    rows: list[list[Piece]] = []
    sums = [Decimal(0)] * 5
    names = ("amount_billed", "discount", "allowed_amount", "plan_paid", "patient_responsibility")
    start = world.day()
    for at in range(random.choice((2, 3, 4))):
        billed = world.amount(60, 900)
        discount = (billed * Decimal("0.35")).quantize(Decimal("0.01"))
        paid = ((billed - discount) * Decimal("0.8")).quantize(Decimal("0.01"))
        values = (billed, discount, billed - discount, paid, billed - discount - paid)
        sums = [a + b for a, b in zip(sums, values, strict=True)]
        day = start + timedelta(days=at)
        row = f"service_lines.{at}"
        rows.append(
            [
                piece(world.shown_day(day, form="%m/%d/%Y"), f"{row}.service_date", value=day.isoformat()),
                piece(random.choice(SERVICES)[1], f"{row}.description"),
                *(piece(world.shown_amount(v, sign=False), f"{row}.{name}", value=float(v)) for name, v in zip(names, values, strict=True)),
            ]
        )
    labels = (
        say("Date of service", "Service date"),
        say("Service", "Description"),
        say("Amount billed", "Billed"),
        say("Discount", "Plan discount"),
        say("Allowed", "Allowed amount"),
        say("Plan paid", "Paid by plan"),
        say("You owe", "Your responsibility"),
    )
    grid = Grid([Column(label, 1.9 if at == 1 else 1.15, at > 1) for at, label in enumerate(labels)], rows)
    who = [
        entry(say("Member name", "Member", "Subscriber"), house.patient, "member_name"),
        entry(say("Member ID", "ID number"), house.member(), "member_id"),
        entry(say("Group number", "Group #"), world.code_like("4####"), "group_number"),
        entry("Patient name" if random.random() < 0.5 else "Patient", house.patient, "patient_name"),
        entry("Claim number", world.code_like("4##########"), "claim_number"),
        house.day(say("Statement date", "Date of this notice"), "statement_date"),
        house.day(say("Claim processed", "Date processed"), "claim_processed_date"),
        entry(say("Provider", "Provider name"), house.clinic, "provider_name"),
    ]
    totals = [
        entry(label, world.shown_amount(value, sign=True), path, value=float(value))
        for label, value, path in (
            (say("Total billed", "Total charges"), sums[0], "total_billed"),
            (say("Total discount", "Plan savings"), sums[1], "total_discount"),
            (say("Total plan paid", "Total paid by plan"), sums[3], "total_plan_paid"),
            (say("Amount you owe", "Your total responsibility", "Total you owe"), sums[4], "total_patient_responsibility"),
        )
    ]
    met, limit = Decimal(random.randint(100, 900)), Decimal(random.choice((1500, 2000, 3000)))
    meters: list[Entry] = [
        entry(say("Deductible met", "Deductible met to date"), world.shown_amount(met, sign=True), "deductible_met", value=float(met)),
        entry(say("Annual deductible", "Deductible limit"), world.shown_amount(limit, sign=True), "deductible_limit", value=float(limit)),
    ]
    head = house.letterhead(plan, paths=("payer_name",), phone=("payer_phone",), address="payer_address")
    to = Lines([line(house.patient), *address_lines(house.home, "member_address")])
    parts: list[Part] = [head, Title(line("Explanation of Benefits")), Lines([line("This is not a bill.")], small=True)]
    parts += [to] if random.random() < 0.5 else []
    parts += [Entries(who), grid, Totals(totals, 3), Entries(meters)]
    unscored = ("group_name", "plan_name", "total_allowed", "relationship", "claim_status", "network_status", "appeal_deadline")
    return Content(parts, "letter", unscored=unscored)
