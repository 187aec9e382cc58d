"""Nursing and progress notes of an intensive care unit."""

OPENING = ("Progress note.", "Nursing note, day shift.", "Nursing note, night shift.", "ICU day note.")
FINDINGS = (
    ("Alert and oriented, follows commands.|Awake, conversant.", "Drowsy but rousable.|Sleepy, wakes to voice.",
     "Confused, agitated at times.", "Unresponsive to voice, withdraws to pain.|Obtunded."),
    ("Blood pressure stable without support.|Normotensive, off pressors.", "Blood pressure soft, fluids given.",
     "On low-dose norepinephrine.|Norepinephrine being weaned slowly.",
     "Escalating norepinephrine, vasopressin added.|Hypotensive on two pressors."),
    ("Breathing comfortably on room air.", "On nasal cannula 2-4 l.|Mild work of breathing.",
     "High-flow oxygen, tachypnoeic.",
     "Intubated and ventilated, high oxygen requirement.|On full ventilator support."),
    ("Good urine output.|Voiding well.", "Urine output marginal.", "Oliguric, creatinine rising.",
     "Anuric, renal replacement discussed.|CRRT running."),
    ("Afebrile.|Temperature normal.", "Low-grade fever.", "Febrile with rigors, cultures sent.",
     "Cold, mottled extremities.|Skin mottled to the knees."),
    ("Lactate normal.", "Lactate slightly raised.|Lactate being followed.", "Lactate elevated and rising.",
     "Severe lactic acidosis."),
    ("Tolerating diet, transfer to the ward planned.|Plan: step down tomorrow.", "Continue current management.",
     "Guarded condition, family updated.",
     "Prognosis poor, goals of care discussed.|Family meeting on comfort measures."),
)  # fmt: skip
NEUTRAL = (
    "Lines intact, dressings dry.",
    "Turned every two hours.",
    "Family visited in the afternoon.",
    "Pain controlled.",
    "Bowel sounds present.",
    "Mouth care done.",
    "Blood sugar per protocol.",
    "Prophylactic heparin given.",
)
CLOSING = ("Will continue to monitor.", "Plan as discussed on rounds.", "Handover given.")
