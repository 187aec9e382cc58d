"""Names of the deep networks that encoder "network" of pictures and volumes builds."""

from typing import Literal

Network = Literal["resnet10", "resnet18", "resnet50", "densenet121", "vgg11", "vit", "efficientnet-b0"]
