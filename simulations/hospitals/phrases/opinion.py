"""Answers of a person with diabetes to a questionnaire on eyesight."""

OPENING = ("Questionnaire on eyesight.", "Answers of the patient.", "Patient's own words.")
FINDINGS = (
    ("I see as well as ever.|My sight is fine.", "My sight is a little worse than before.",
     "My sight has become clearly worse.", "I can hardly see with this eye.|My sight is very poor."),
    ("I read the newspaper without trouble.", "I need more light to read.", "Reading is hard.",
     "I cannot read any more."),
    ("No floating spots.", "Sometimes a floating spot.", "Many floating spots.|Spots every day.",
     "A dark curtain and many spots."),
    ("I drive at night.", "I avoid driving at night.", "I have stopped driving at night.", "I have given up driving."),
    ("Straight lines look straight.", "Lines look slightly bent at times.", "Lines look bent.",
     "Lines are badly distorted."),
    ("My sugar is well controlled.|Sugar values are good.", "My sugar is mostly all right.",
     "My sugar is often too high.", "My sugar has been very high for years."),
    ("I have had diabetes for a short time.", "Diabetes for some five years.", "Diabetes for more than ten years.",
     "Diabetes for more than twenty years."),
)  # fmt: skip
NEUTRAL = (
    "I wear glasses.",
    "My mother had cataracts.",
    "I see an eye doctor once a year.",
    "I take tablets in the morning.",
    "I live with my family.",
    "I sometimes have dry eyes.",
)
CLOSING = ("Thank you.", "That is all.", "No further remarks.")
