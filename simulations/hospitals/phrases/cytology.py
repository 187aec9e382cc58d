"""A cytologist's report on a fine-needle aspirate of the thyroid gland."""

OPENING = ("Fine-needle aspirate of the thyroid.", "FNA, thyroid nodule, two passes.", "Thyroid aspirate, smears.")
FINDINGS = (
    ("Abundant colloid.|Colloid is plentiful.", "Moderate colloid.", "Scant colloid.", "Colloid is absent."),
    ("Sparse cells.|Low cellularity.", "Moderately cellular.", "Highly cellular smear.", "Very high cellularity."),
    ("Flat sheets in honeycomb pattern.|Macrofollicular sheets.", "Some microfollicles.",
     "Predominantly microfollicular pattern.", "Crowded microfollicles and solid groups.|Crowded, overlapping groups."),
    ("Nuclei are small and even.|No nuclear atypia.", "Mild nuclear enlargement.", "Nuclear enlargement and overlap.",
     "Marked anisonucleosis with prominent nucleoli."),
    ("Chromatin is fine.", "Chromatin is slightly coarse.", "Coarse chromatin.", "Coarse, clumped chromatin."),
    ("No mitoses.", "A single mitosis is possible.", "Occasional mitoses.", "Several mitoses are seen."),
    ("Bethesda II.", "Bethesda III.|Atypia of undetermined significance.",
     "Bethesda IV.|Suspicious for a follicular neoplasm.", "Bethesda V.|Suspicious for malignancy."),
)  # fmt: skip
NEUTRAL = (
    "Macrophages are present.",
    "Blood in the background.",
    "Lymphocytes are few.",
    "Material is adequate.",
    "Some Hurthle cells.",
    "Cystic debris.",
)
CLOSING = ("Correlation with ultrasound is advised.", "Second reader agrees.", "End of report.")
