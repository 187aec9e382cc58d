"""A radiologist's report on a computed tomography of the chest with a nodule."""

OPENING = (
    "CT of the chest, thin slices, without contrast.",
    "Low-dose CT of the chest. Comparison: none.",
    "CT chest, axial 1 mm with coronal reformats.",
)
FINDINGS = (
    ("The nodule is of pure ground glass.|Purely ground-glass nodule.",
     "Mainly ground glass with a faint denser centre.",
     "Part-solid nodule with a small solid component.|The nodule is part-solid.",
     "Nodule with a predominant solid component.|Largely solid nodule."),
    ("It is round with a smooth margin.|Smooth, well-defined margin.", "The margin is slightly irregular.",
     "The margin is lobulated.|Lobulated contour.", "Deep lobulation with spiculation.|Spiculated margin."),
    ("The pleura is not involved.|No pleural contact.", "It abuts the pleura without retraction.",
     "Slight pleural tag.", "Marked pleural retraction.|The pleura is drawn in towards the nodule."),
    ("Vessels pass by without change.", "A vessel runs along its edge.",
     "A vessel enters the nodule.|Vascular convergence is suspected.", "Dilated vessels converge on the nodule."),
    ("No air bronchogram.", "A bronchus ends near the nodule.", "Air bronchogram within the nodule.",
     "Distorted air bronchogram with a cut-off bronchus."),
    ("No bubble lucency.", "Faint lucency is possible.", "Small bubble-like lucencies.", "Several bubble lucencies."),
    ("Unchanged in appearance from an inflammatory focus; likely benign.|A benign focus is favoured.",
     "Indeterminate; follow-up in 6 months.|Indeterminate nodule, short follow-up advised.",
     "Suspicious; closer follow-up or biopsy.", "Highly suspicious of malignancy.|Adenocarcinoma is to be considered."),
)  # fmt: skip
NEUTRAL = (
    "The trachea and main bronchi are open.",
    "No pleural effusion.",
    "Heart size is normal.",
    "No enlarged mediastinal lymph nodes.",
    "Degenerative changes of the spine.",
    "Coronary calcification is present.",
    "The thyroid gland is unremarkable.",
    "Small cyst of the liver.",
)
CLOSING = ("Reported by the radiologist on duty.", "Clinical correlation is advised.", "End of report.")
