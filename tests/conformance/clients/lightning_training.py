"""PyTorch Lightning, by MLflow's autologging and by the logger that Lightning itself brings."""

from __future__ import annotations

import lightning
import mlflow
import mlflow.pytorch
import torch
from lightning.pytorch.loggers import MLFlowLogger
from torch.utils.data import DataLoader, TensorDataset

from asking import history, listing
from boosting import same_numbers
from checks import equal
from session import Session

EPOCHS = 3


class Line(lightning.LightningModule):
    """A line through points, and what it lost in each epoch."""

    def __init__(self, rate: float = 0.05) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(2, 1)
        self.losses: list[float] = []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """The heights of the line at the points."""
        return self.layer(batch)

    def training_step(self, batch: tuple, index: int) -> torch.Tensor:
        """The loss of one batch."""
        points, heights = batch
        loss = torch.nn.functional.mse_loss(self(points), heights)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple, index: int) -> None:
        """Logs the loss of a batch that is not trained with."""
        points, heights = batch
        self.log("val_loss", torch.nn.functional.mse_loss(self(points), heights))

    def on_train_epoch_end(self) -> None:
        """Remembers the loss, to compare it with what was recorded."""
        self.losses.append(float(self.trainer.callback_metrics["train_loss"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Plain descent."""
        return torch.optim.SGD(self.parameters(), lr=self.hparams.rate)


def run(session: Session) -> None:
    """Fits a line twice."""
    torch.manual_seed(5)
    points = torch.rand(64, 2)
    heights = points @ torch.tensor([[2.0], [-1.0]])
    data = DataLoader(TensorDataset(points, heights), batch_size=16)
    _autologged(session, data, points)
    _by_logger(session, data)


def _trainer(**options) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def _autologged(session: Session, data: DataLoader, points: torch.Tensor) -> None:
    with session.check("Lightning: parameters, and the losses of each epoch"):
        mlflow.pytorch.autolog(silent=True)
        try:
            model = Line()
            with mlflow.start_run() as active:
                _trainer(logger=False).fit(model, data, data)
        finally:
            mlflow.pytorch.autolog(disable=True, silent=True)
        run_id = active.info.run_id
        found = mlflow.get_run(run_id).data
        expected = {"epochs": str(EPOCHS), "optimizer_name": "SGD", "lr": "0.05"}
        equal({key: found.params.get(key) for key in expected}, expected, "parameters")
        expected = list(enumerate(model.losses))
        equal(history(session, run_id, "train_loss"), expected, "losses in training")
        steps = [step for step, _ in history(session, run_id, "val_loss")]
        equal(steps, list(range(EPOCHS)), "steps of the losses in validation")
        equal(found.tags["Mode"], "training", "tag")

    with session.check("Lightning: a summary, checkpoints and the model itself"):
        names = listing(session, run_id)
        equal("model_summary.txt" in names, True, f"summary in {names}")
        equal("checkpoints/" in names, True, f"checkpoints in {names}")
        loaded = mlflow.pytorch.load_model(f"runs:/{run_id}/model")
        with torch.no_grad():
            same_numbers(loaded(points), model(points))

    with session.check("Lightning: a checkpoint loads and is one of the epochs"):
        checkpoint = mlflow.pytorch.load_checkpoint(Line, run_id)
        equal(checkpoint.hparams["rate"], 0.05, "parameter")


def _by_logger(session: Session, data: DataLoader) -> None:
    with session.check("Lightning's own logger: a run with parameters, losses and checkpoints"):
        logger = MLFlowLogger(
            experiment_name=session.experiment_name,
            run_name="by logger",
            tracking_uri=session.url,
            tags={"team": "red"},
            log_model="all",
        )
        model = Line(rate=0.1)
        _trainer(logger=logger, log_every_n_steps=1).fit(model, data, data)
        found = session.client.get_run(logger.run_id)
        equal(found.info.experiment_id, session.experiment_id, "experiment")
        equal((found.info.run_name, found.info.status), ("by logger", "FINISHED"), "name, status")
        equal((found.data.params["rate"], found.data.tags["team"]), ("0.1", "red"), "values")
        losses = [value for _, value in history(session, logger.run_id, "train_loss")]
        equal(losses, model.losses, "losses in training")
        # An epoch is four batches.
        names = [f"epoch={epoch}-step={4 * epoch + 4}" for epoch in range(EPOCHS)]
        equal(listing(session, logger.run_id), [f"{name}/" for name in names], "folders")
        for name in names:
            files = listing(session, logger.run_id, name)
            equal(f"{name}/{name}.ckpt" in files, True, f"checkpoint among {files}")
