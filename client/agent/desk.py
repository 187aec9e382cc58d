"""What an agent keeps: the hospital's books on disk, and for each run its model and its patients by role."""

import numpy as np
import torch

from client.archive import Data
from client.egress_log import EgressLog
from client.ledger_file import LedgerFile
from client.outbox import Outbox
from client.site import Site
from shared.cohorts import ROLES, Fold, Role, training_patients
from shared.errors import PrivacyRefusal
from shared.model import Batch, MultimodalModel
from shared.privacy.mechanism import PrivacyPlan, plan_privacy
from shared.privacy.records import RunKey
from shared.study import Study
from shared.wire import Arrays


class Books:
    """Ledger, outbox and egress log of one hospital, in its state folder."""

    def __init__(self, site: Site) -> None:
        self.ledger = LedgerFile(site.state)
        self.outbox = Outbox(site.state / "outbox", self.ledger)
        self.egress = EgressLog(site.state)


class Desk:
    """One run at one hospital: study, fold, model, patients, and the plan of its privacy."""

    def __init__(self, data: Data, site: Site, books: Books, study: Study, fold: Fold, run: RunKey) -> None:
        self.site, self.books, self.study, self.fold, self.run = site, books, study, fold, run
        self.excluded = data.excluded(study)
        self.denominator = sum(training_patients(study, member) for member in data.members)
        self.plan: PrivacyPlan | None = plan_privacy(study)
        if self.plan and self.plan.planned_epsilon() > self.plan.epsilon:
            raise PrivacyRefusal(
                "plan-over-budget", "by an independent accountant the plan would pass the study's budget"
            )
        self.model = MultimodalModel(study)
        self._batch = data.batch(study)
        self._roles = np.array(data.roles(study, fold))

    def patients(self, role: Role) -> Batch:
        """This hospital's patients of a role."""
        return self._batch.pick(torch.from_numpy(self._roles == role))

    @property
    def roles(self) -> list[Role]:
        """Roles that patients here have, in a fixed order."""
        return [role for role in ROLES if (self._roles == role).any()]

    @property
    def groups(self) -> frozenset[str]:
        """Parameter groups that this hospital holds data for; the others are not sent, as they would be pure noise."""
        held = {name for name, present in self._batch.present.items() if bool(present.any())}
        return frozenset(model for model in self.study.models if set(model.split("+")) <= held)

    def load(self, weights: Arrays) -> None:
        """Take the server's weights; refuses any that are not exactly the study's parameters."""
        expected = {name: tuple(value.shape) for name, value in self.model.named_parameters()}
        if {name: tuple(values.shape) for name, values in weights.items()} != expected:
            raise PrivacyRefusal("wrong-weights", "the task's weights are not those of the study's model")
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(torch.from_numpy(np.array(weights[name])))
