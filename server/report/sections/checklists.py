"""TRIPOD+AI and CLAIM: which section of this page answers an item, and which ones an author must write.

Items are those of Collins et al., BMJ 2024;385:e078378, and of Tejani et al., Radiol Artif Intell 2024;6:e240300; the
topics are in our own words, the guidelines' texts bind.
"""

from collections.abc import Sequence

from server.report.layout import Cell, Group, Section, Table, head
from server.report.view import View

UNWRITTEN = "author must write"
# Items as "number topic > section of the page that answers it"; without a section only an author can.
TRIPOD_AI = """\
1 Title: development or evaluation of a multivariable prediction model
2 Structured abstract > summary
3a Healthcare context and rationale
3b Target population, purpose and users of the model > model-card
3c Known health inequalities
4 Objectives > summary
5a Sources of data, and why they represent the population > participants
5b Dates of the collection
6a Setting, number and place of the centers > participants
6b Eligibility
6c Treatments received
7 Data preparation, also where it differs between centers
8a Outcome, its time and its measurement > summary
8b Who assessed the outcome, if it takes judgement
8c Blinding of the outcome's assessment
9a Choice of predictors
9b Definition and measurement of the predictors
9c Who assessed predictors, if it takes judgement
10 Sample size > limits
11 Missing data > modalities
12a Partition of the data > participants
12b Handling of predictors
12c Type of model, building, tuning, internal validation > models
12d Heterogeneity between clusters > hospitals
12e Measures of performance, and plots > models
12f Recalibration or other updating
12g How predictions are computed > model-card
13 Class imbalance
14 Fairness
15 Output of the model, thresholds and their reasons > models
16 Differences between development and evaluation data > participants
17 Ethics approval
18a Funding
18b Conflicts of interest
18c Protocol
18d Registration
18e Availability of the data
18f Availability of the code > environment
19 Involvement of patients and the public
20a Flow of participants > participants
20b Characteristics, overall and by source > baseline
20c Comparison of evaluation with development data > baseline
21 Participants and events in each analysis > models
22 Full specification of the model > environment
23a Performance with intervals > models
23b Heterogeneity of performance > hospitals
24 Results of updating
25 Interpretation
26 Limitations > limits
27a Poor or missing input when the model is used > modalities
27b Users' interaction with the model
27c Next steps of research"""
CLAIM = """\
1 Title names the AI method
2 Structured abstract > summary
3 Background
4 Aims and hypotheses > summary
5 Prospective or retrospective
6 Goal of the study > summary
7 Sources of data > participants
8 Inclusion and exclusion > participants
9 Preprocessing
10 Selection of parts of the data
11 De-identification > privacy
12 Missing data > modalities
13 Acquisition of images
14 Reference standard: definition > summary
15 Reference standard: reasons
16 Reference standard: source of annotations
17 Annotation of the test set
18 Variability between and within readers > readers
19 Assignment to partitions > participants
20 Level at which partitions are disjoint > participants
21 Sample size > limits
22 Model
23 Software and frameworks > environment
24 Initial parameters > environment
25 Training
26 Choice of the final model
27 Ensembles
28 Measures of performance > models
29 Uncertainty and significance > comparisons
30 Robustness > modalities
31 Explainability
32 Internal testing > models
33 External testing > models
34 Trial registration
35 Included and excluded patients > participants
36 Characteristics in each partition > baseline
37 Performance in each partition > models
38 Accuracy and its precision > models
39 Failure analysis
40 Limitations > limits
41 Implications
42 Protocol
43 Availability of software, model, data > environment
44 Funding"""
CHECKLISTS = {"tripod_ai": ("TRIPOD+AI 2024", TRIPOD_AI), "claim": ("CLAIM 2024", CLAIM)}


def checklists(view: View, sections: Sequence[Section]) -> Section:
    """Both lists, with a link where this page answers an item."""
    places = {section.key: section.title for section in sections if not section.empty}
    places |= {table.key: table.caption for section in sections for table in section.tables if table.key == "baseline"}
    tables = tuple(_table(key, places) for key in CHECKLISTS)
    text = (
        "A link says where this page has material for an item; whether it suffices is the author's to judge. Topics "
        "are in our own words, the guidelines' texts bind."
    )
    return Section("checklists", "Reporting checklists", paragraphs=(text,), tables=tables)


def items(key: str) -> list[tuple[str, str, str]]:
    """(item, topic, key of the section that answers it, or nothing)."""
    found = []
    for line in CHECKLISTS[key][1].splitlines():
        text, _, section = line.partition(" > ")
        item, _, topic = text.partition(" ")
        found.append((item, topic, section))
    return found


def _table(key: str, places: dict[str, str]) -> Table:
    rows = []
    for item, topic, section in items(key):
        link = section if section in places else ""
        rows.append((Cell(item), Cell(topic), Cell(places.get(section, UNWRITTEN), link=link, soft=not link)))
    headings = head("Item", "Topic", "Where")
    return Table(key.replace("_", "-"), CHECKLISTS[key][0], headings, (Group("", tuple(rows)),), compact=True)
