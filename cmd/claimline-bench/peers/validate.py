# The usual administrator's script: Python's csv and re, the row checks of the users file, one dictionary for duplicates.
# Prints the number of bad rows. Like its siblings it does no more than the bench file asks for, which is in its favour.
import csv
import re
import sys

EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?",
    re.IGNORECASE | re.ASCII,
)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
PHONE = re.compile(r"'?\+[1-9][0-9]{1,14}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE | re.ASCII)
BOOLEAN = {"", "TRUE", "T", "FALSE", "F"}
CLAIM_TYPE = {"", "immediate", "delayed"}


def reason(row, width, column, seen, line):
    if len(row) != width:
        return "field_count"
    claim = row[column["Claim"]].strip().upper()
    if claim in ("FALSE", "F"):
        return "claim_false"
    problem = None if claim in BOOLEAN else "boolean_invalid"
    email = row[column["User ID/Email (Required)"]].strip()
    key = ""
    if email == "":
        problem = problem or "email_missing"
    elif len(email.encode()) > 254:
        problem = problem or "email_too_long"
    elif email.find("@") > 64 or not EMAIL.fullmatch(email):
        problem = problem or "email_invalid"
    else:
        key = email.lower()
    text = [row[i].strip() for i in column["text"]]
    if any(len(cell) > 64 for cell in text):
        problem = problem or "text_too_long"
    if any(CONTROL.search(cell) for cell in text):
        problem = problem or "text_invalid"
    phone = row[column["Phone Number"]].strip()
    if phone and not PHONE.fullmatch(phone):
        problem = problem or "phone_invalid"
    language = row[column["Preferred Language"]].strip()
    if language and not LANGUAGE.fullmatch(language):
        problem = problem or "language_invalid"
    if row[column["Claim Type"]].strip().lower() not in CLAIM_TYPE:
        problem = problem or "claim_type_invalid"
    if key and seen.setdefault(key, line) != line:
        problem = problem or "duplicate_row"
    return problem


def main():
    reasons = {}
    with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        column = {name: i for i, name in enumerate(header)}
        column["text"] = [column[name] for name in ("First Name", "Last Name", "Display Name", "Title", "Department")]
        seen = {}
        for row in reader:
            problem = reason(row, len(header), column, seen, reader.line_num)
            if problem:
                reasons[problem] = reasons.get(problem, 0) + 1
    print(sum(n for problem, n in reasons.items() if problem != "claim_false"))


main()
