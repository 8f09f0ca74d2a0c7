"""Papers about a patient's care: referrals, face sheets, orders, laboratory reports."""

from __future__ import annotations

from random import Random

from training.drawing.content import Column, Content, Entries, Grid, Heading, Lines, Part, Piece, Side, Title, entry, line, piece
from training.drawing.kinds.clinic import CLINICS, CODES, PLANS, SERVICES, Clinic

TESTS = (
    ("Glucose", "112", "mg/dL", "70-99", "H"),
    ("Sodium", "139", "mmol/L", "136-145", ""),
    ("Potassium", "3.2", "mmol/L", "3.5-5.1", "L"),
    ("Creatinine", "0.92", "mg/dL", "0.60-1.20", ""),
    ("Hemoglobin", "13.8", "g/dL", "12.0-15.5", ""),
    ("White blood cells", "11.9", "10^3/uL", "4.0-11.0", "H"),
    ("Platelets", "243", "10^3/uL", "150-400", ""),
    ("Cholesterol, total", "201", "mg/dL", "<200", "H"),
    ("TSH", "2.14", "uIU/mL", "0.45-4.50", ""),
    ("Calcium", "9.4", "mg/dL", "8.6-10.2", ""),
)
REASONS = (
    "Chest pain on exertion, abnormal ECG",
    "Persistent knee pain after physical therapy",
    "Evaluation of recurrent headaches",
    "Sleep study for suspected apnea",
    "Follow-up of elevated liver enzymes",
)


def referral(random: Random) -> Content:
    """A referral of a patient from one doctor to another."""
    house = Clinic(random)
    say, world = house.say, house.world
    patient = [
        house.named("patient.name", say("Patient name", "Name", "Patient")),
        house.birth("patient.dateOfBirth"),
        entry(say("Gender", "Sex"), house.sex, "patient.gender"),
        house.address(say("Address", "Home address"), "patient.address"),
        entry(say("Phone", "Home phone"), world.phone(), "patient.contact.0.value"),
        entry(say("Preferred language", "Language"), say("English", "Spanish"), "patient.language"),
    ]
    coverage = [
        entry(say("Insurance company", "Insurance", "Payer"), random.choice(PLANS), "patient.coverage.payer"),
        entry(say("Member ID", "Member number"), house.member(), "patient.coverage.member_id"),
        entry(say("Group number", "Group No."), world.code_like("G-4##"), "patient.coverage.group_number"),
    ]
    refers = [
        entry(say("Referring provider", "Referring physician", "Referred by"), house.doctor(), "referral.referringProvider.name"),
        entry("NPI", house.npi(), "referral.referringProvider.npi"),
        entry(say("Practice", "Organization"), house.clinic, "referral.referringProvider.organization"),
        entry(say("Phone", "Office phone"), world.phone(), "referral.referringProvider.phone"),
        entry("Fax", world.phone(), "referral.referringProvider.fax"),
    ]
    receives = [
        entry(say("Receiving provider", "Receiving physician", "Referred to"), house.doctor(), "referral.receivingProvider.name"),
        entry("Specialty", say("Cardiology", "Orthopedics", "Neurology"), "referral.receivingProvider.specialty"),
        entry(
            say("Facility", "Organization"),
            random.choice([name for name in CLINICS if name != house.clinic]),
            "referral.receivingProvider.organization",
        ),
    ]
    code, words = random.choice(CODES)
    why = [
        house.day(say("Referral date", "Date of referral"), "referral.dateOfReferral"),
        entry(say("Priority", "Scheduling priority"), say("Urgent", "Routine"), "referral.schedulingPriority"),
        entry(say("Reason for referral", "Reason"), random.choice(REASONS), "referral.reasonForReferral"),
    ]
    single = [
        entry(say("Diagnosis code", "ICD-10"), code, "referral.diagnosis.0.code"),
        entry(say("Diagnosis", "Diagnosis description"), words, "referral.diagnosis.0.description"),
    ]
    table = random.random() < 0.5
    parts: list[Part] = [
        house.letterhead(),
        Title(line(say("Patient Referral Form", "Referral Request", "Specialist Referral"), "document.title")),
    ]
    parts += [Entries(why[:2]), Heading(say("Patient information", "Patient")), Entries(patient), Heading("Insurance"), Entries(coverage)]
    parts += [Heading("Referring provider"), Entries(refers), Heading(say("Receiving provider", "Referred to")), Entries(receives)]
    parts += [Heading("Referral"), Entries(why[2:]), house.diagnoses(2, "referral.diagnosis") if table else Entries(single)]
    unscored = (
        "document",
        "person",
        "provider",
        "contactPoint",
        "coverage",
        "consent",
        "medicalHistory",
        "location",
        "address",
        "organization",
        "period",
        "appointmentDetails",
        "referral.patient",
        "referral.type",
        "referral.servicesRequested",
        "patient.contact.0.system",
    )
    return Content(parts, "letter", unscored=unscored)


def identification(random: Random) -> Content:
    """A face sheet: who the patient is, whom to call, who pays."""
    house = Clinic(random)
    say, world = house.say, house.world
    who = [
        house.named("patient_name", say("Patient name", "Name", "Patient")),
        house.birth("date_of_birth"),
        entry(say("Gender", "Sex"), house.sex, "gender"),
        entry(
            say("MRN", "Medical record number", "Medical Record #"),
            world.code_like("00######").replace("00", "40", 1),
            "medical_record_number",
        ),
        entry(say("Account number", "Account #"), world.code_like("4#######"), "account_number"),
        entry("Marital status", say("Married", "Single", "Widowed"), "marital_status"),
        entry(say("Language", "Preferred language"), say("English", "Portuguese"), "language"),
        house.address(say("Address", "Home address"), "address"),
        house.phone(say("Phone", "Home phone"), "phone"),
        entry("Employer", world.firm(), "employer"),
        entry("Occupation", say("Teacher", "Electrician", "Retired"), "occupation"),
    ]
    stay = [
        house.day(say("Admission date", "Admitted"), "admission_date"),
        entry(say("Attending physician", "Attending"), house.doctor(), "attending_physician"),
        entry(say("Primary care physician", "PCP"), house.doctor(), "primary_care_physician"),
        entry("Allergies", "Penicillin, Latex", "allergies.0", value="Penicillin"),
    ]
    stay[-1] = entry("Blood type", "O+", "blood_type")
    call = [
        entry(say("Name", "Contact name"), world.person(), "emergency_contact.name"),
        entry("Relationship", say("Spouse", "Sister", "Son"), "emergency_contact.relationship"),
        entry("Phone", world.phone(), "emergency_contact.phone"),
    ]
    pays = [
        entry(say("Insurance company", "Payer", "Primary insurance"), random.choice(PLANS), "coverage.payer"),
        entry(say("Member ID", "Policy number"), house.member(), "coverage.member_id"),
        entry(say("Group number", "Group #"), world.code_like("4####"), "coverage.group_number"),
        entry(say("Subscriber name", "Subscriber"), world.person(), "coverage.subscriber_name"),
    ]
    parts: list[Part] = [
        house.letterhead(paths=("facility",)),
        Title(line(say("Patient Face Sheet", "Patient Identification", "Patient Registration"))),
    ]
    parts += [Heading("Patient"), Entries(who), Heading("Admission"), Entries(stay), Heading("Emergency contact"), Entries(call)]
    parts += [Heading("Insurance"), Entries(pays)]
    return Content(parts, "letter", unscored=("patient_id", "age", "coverage.plan_name"))


def physician_order(random: Random) -> Content:
    """An order of tests, equipment or medication."""
    house = Clinic(random)
    say, world = house.say, house.world
    about = [
        entry(say("Order number", "Order #", "Order No."), world.code_like("@@-######"), "order_number"),
        house.day(say("Order date", "Date ordered", "Date of order"), "order_date"),
        entry("Priority", say("Routine", "STAT", "Urgent"), "priority"),
    ]
    who = [
        entry(say("Patient name", "Patient"), house.patient, "patient_name"),
        house.birth("date_of_birth"),
        entry(say("Gender", "Sex"), house.sex, "gender"),
        entry(say("MRN", "Medical record number"), world.code_like("4######"), "medical_record_number"),
        house.phone(say("Patient phone", "Phone"), "patient_phone"),
        entry("Allergies", say("None known", "Penicillin", "Sulfa drugs"), "allergies"),
    ]
    orders = [
        say("Ordering provider", "Ordering physician"),
        say("Practice", "Organization"),
    ]
    by = [
        entry(orders[0], house.doctor(), "ordering_provider.name"),
        entry("NPI", house.npi(), "ordering_provider.npi"),
        entry(orders[1], house.clinic, "ordering_provider.organization"),
        entry(say("Office phone", "Provider phone"), world.phone(), "ordering_provider.phone"),
    ]
    rows: list[list[Piece]] = []
    drugs = random.random() < 0.4
    for at in range(random.choice((2, 3, 4))):
        row = f"orders.{at}"
        if drugs:
            dose = random.choice(
                (
                    ("Metformin", "500 mg", "PO", "BID"),
                    ("Lisinopril", "10 mg", "PO", "daily"),
                    ("Albuterol", "2 puffs", "inhaled", "q4h PRN"),
                    ("Amoxicillin", "875 mg", "PO", "BID"),
                )
            )
            rows.append(
                [piece(text, f"{row}.{name}") for text, name in zip(dose, ("description", "dosage", "route", "frequency"), strict=True)]
            )
            rows[-1].append(piece(str(at), f"{row}.refills", value=at))
        else:
            code, words = random.choice(SERVICES)
            count = random.randint(1, 3)
            rows.append([piece(code, f"{row}.code"), piece(words, f"{row}.description"), piece(str(count), f"{row}.quantity", value=count)])
    drug_columns = [Column("Medication", 2), Column("Dose", 1), Column("Route", 1), Column("Frequency", 1.2), Column("Refills", 0.8)]
    test_columns = [Column(say("CPT", "Code"), 1), Column(say("Description", "Test / procedure", "Order"), 3), Column("Qty", 0.7)]
    code, words = random.choice(CODES)
    if random.random() < 0.5:
        reason: list[Part] = [house.diagnoses(2)]
    else:
        reason = [
            Entries(
                [
                    entry(say("Diagnosis code", "ICD-10 code"), code, "diagnoses.0.code"),
                    entry("Diagnosis", words, "diagnoses.0.description"),
                ]
            )
        ]
    signed = [
        entry(
            say("Special instructions", "Comments"), say("Fasting required", "Call with results", "Deliver to home"), "special_instructions"
        ),
        entry(say("Signed by", "Signature"), house.doctor(), "signed_by"),
        house.day(say("Date signed", "Signature date"), "signature_date"),
    ]
    parts: list[Part] = [
        house.letterhead(),
        Title(line(say("Physician Order", "Physician's Order Form", "Order Requisition"))),
        Entries(about),
    ]
    parts += [Heading("Patient"), Entries(who), Heading(say("Ordering provider", "Provider")), Entries(by), Heading("Orders")]
    parts += [Grid(drug_columns if drugs else test_columns, rows), Heading("Diagnosis"), *reason, Entries(signed)]
    return Content(parts, "letter", unscored=("order_type", "facility", "ordering_provider.signature_date"))


def lab_report(random: Random) -> Content:
    """A laboratory's report of results."""
    house = Clinic(random)
    say, world = house.say, house.world
    laboratory = say("Tidewater Clinical Laboratory", "Northport Diagnostics", "Harborview Labs, Inc.", "Sable Creek Pathology")
    who = [
        entry(say("Patient name", "Patient", "Name"), house.patient, "patient_name"),
        house.birth("date_of_birth"),
        entry(say("Sex", "Gender"), house.sex, "gender"),
        entry(say("Patient ID", "MRN"), world.code_like("4######"), "patient_id"),
        entry(say("Ordering physician", "Ordering provider", "Requested by"), house.doctor(), "ordering_provider"),
    ]
    about = [
        entry(say("Accession number", "Specimen number", "Accession #"), world.code_like("@##-######"), "accession_number"),
        entry(say("Specimen", "Specimen type", "Sample type"), say("Serum", "Whole blood", "Plasma"), "specimen_type"),
        house.moment(say("Collected", "Collection date", "Date collected"), "collection_date"),
        house.moment(say("Received", "Date received"), "received_date"),
        house.day(say("Reported", "Report date", "Date reported"), "report_date"),
        entry(say("Report status", "Status"), say("Final", "Preliminary"), "report_status"),
        entry("Fasting", say("Yes", "No"), "fasting"),
    ]
    rows: list[list[Piece]] = []
    for at, found in enumerate(random.sample(TESTS, random.choice((4, 5, 7)))):
        names = ("test_name", "value", "unit", "reference_range", "flag")
        rows.append([piece(text, *([f"results.{at}.{name}"] if text else [])) for text, name in zip(found, names, strict=True)])
    labels = (
        say("Test", "Test name", "Analyte"),
        say("Result", "Value"),
        say("Units", "Unit"),
        say("Reference range", "Reference interval"),
        say("Flag", "Abnormal"),
    )
    order = [0, 1, 2, 3, 4] if random.random() < 0.5 else [0, 1, 4, 3, 2]
    grid = Grid([Column(labels[at], 2.2 if at == 0 else 1) for at in order], [[row[at] for at in order] for row in rows])
    comment = entry(
        say("Comments", "Comment", "Notes"),
        say("Specimen slightly hemolyzed.", "Repeat in three months.", "Reviewed by the pathologist."),
        "comments",
    )
    parts: list[Part] = [
        house.letterhead(laboratory, paths=("laboratory_name",), phone=("laboratory_phone",), address="laboratory_address")
    ]
    parts.append(Title(line(say("Laboratory Report", "Final Laboratory Report", "Test Report"), "report_title")))
    parts.append(Side([Entries(who, columns=1)], [Entries(about, columns=1)]) if random.random() < 0.5 else Entries([*who, *about]))
    parts += [Heading("Results"), grid, Entries([comment], columns=1)]
    parts.append(
        Entries(
            [
                entry("CLIA number", world.code_like("05D#######"), "clia_number"),
                entry(say("Laboratory director", "Medical director"), house.doctor(), "laboratory_director"),
            ]
        )
    )
    parts.append(Lines([line("Results relate only to the specimen tested.")], small=True))
    return Content(parts, "letter", unscored=("facility", "report_title", "interpretation", "comments"))
