"""The corpus ``torchvision``: segmentation, video, optical flow, and the networks of detectors.

The library's image classifiers stand in the corpus ``torch_hub``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from script import Script

DOCS = "https://docs.pytorch.org/vision/stable/models/{}.html"
IMAGE = ("batch_size", "height", "width", "pretrained")
WEIGHTS = 'weights = "DEFAULT" if pretrained else None'
CALL_IMAGE = "model(torch.rand(batch_size, 3, height, width))"


@dataclass(frozen=True)
class Clip:
    """What a video classifier takes: frames, and height and width in pixels."""

    page: str
    frames: int
    side: int


SEGMENTATION = {
    "deeplabv3_mobilenet_v3_large": "deeplabv3",
    "deeplabv3_resnet101": "deeplabv3",
    "deeplabv3_resnet50": "deeplabv3",
    "fcn_resnet101": "fcn",
    "fcn_resnet50": "fcn",
    "lraspp_mobilenet_v3_large": "lraspp",
}
VIDEO = {
    "mc3_18": Clip("video_resnet", 16, 112),
    "r2plus1d_18": Clip("video_resnet", 16, 112),
    "r3d_18": Clip("video_resnet", 16, 112),
    "s3d": Clip("video_s3d", 16, 224),
    "mvit_v1_b": Clip("video_mvit", 16, 224),
    "mvit_v2_s": Clip("video_mvit", 16, 224),
    "swin3d_b": Clip("video_swin_transformer", 16, 224),
    "swin3d_s": Clip("video_swin_transformer", 16, 224),
    "swin3d_t": Clip("video_swin_transformer", 16, 224),
}
FLOW = ("raft_large", "raft_small")
ONE_STAGE = {
    "fcos_resnet50_fpn": "fcos",
    "retinanet_resnet50_fpn": "retinanet",
    "retinanet_resnet50_fpn_v2": "retinanet",
    "ssd300_vgg16": "ssd",
    "ssdlite320_mobilenet_v3_large": "ssdlite",
}
TWO_STAGE = {
    "fasterrcnn_mobilenet_v3_large_fpn": "faster_rcnn",
    "fasterrcnn_resnet50_fpn": "faster_rcnn",
    "fasterrcnn_resnet50_fpn_v2": "faster_rcnn",
    "keypointrcnn_resnet50_fpn": "keypoint_rcnn",
    "maskrcnn_resnet50_fpn": "mask_rcnn",
    "maskrcnn_resnet50_fpn_v2": "mask_rcnn",
}
FIXED_SIDES = {"ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320}

DETECTOR = '''\
{weights}
name = "{name}"
detector = torchvision.models.get_model(name, weights=weights, weights_backbone=None)


class DetectorNetwork(torch.nn.Module):
    """Computes scores and offsets of all {boxes}, and leaves it to others to choose."""

    def __init__(self, backbone, head):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, image):
        features = self.backbone(image)
        return self.head(list(features.values()))


model = DetectorNetwork(detector.backbone, detector.{head})
model.eval()

{call}
'''


def _labels(task: str, family: str, modality: str = "image") -> dict[str, str]:
    return {"author": "torchvision", "task": task, "family": family, "modality": modality}


def _segmentation() -> Iterator[Script]:
    for name, page in SEGMENTATION.items():
        yield Script(
            corpus="torchvision",
            name=name,
            labels=_labels("image_segmentation", page),
            source=DOCS.format(page),
            about=f"{name}: gives each pixel of an image one of 21 classes.",
            imports=("import torchvision",),
            parameters=IMAGE,
            body=(
                f"{WEIGHTS}\n"
                f'model = torchvision.models.get_model(\n    "{name}", weights=weights, '
                f"weights_backbone=None\n)\nmodel.eval()\n\n{CALL_IMAGE}"
            ),
        )


def _video() -> Iterator[Script]:
    for name, clip in VIDEO.items():
        yield Script(
            corpus="torchvision",
            name=name,
            labels=_labels("video_classification", clip.page.removeprefix("video_"), "video"),
            source=DOCS.format(clip.page),
            about=f"{name}: classifies clips of {clip.frames} frames of {clip.side} x {clip.side}.",
            imports=("import torchvision",),
            parameters=("batch_size", "pretrained"),
            body=(
                f"{WEIGHTS}\n"
                f'model = torchvision.models.get_model("{name}", weights=weights)\nmodel.eval()\n\n'
                f"model(torch.rand(batch_size, 3, {clip.frames}, {clip.side}, {clip.side}))"
            ),
        )


def _flow() -> Iterator[Script]:
    for name in FLOW:
        yield Script(
            corpus="torchvision",
            name=name,
            labels=_labels("optical_flow", "raft"),
            source=DOCS.format("raft"),
            about=f"{name}: the movement of each pixel between two images, in 12 steps.",
            imports=("import torchvision",),
            parameters=IMAGE,
            body=(
                f"{WEIGHTS}\n"
                f'model = torchvision.models.get_model("{name}", weights=weights)\nmodel.eval()\n\n'
                "shape = (batch_size, 3, height, width)\n"
                "model(torch.rand(shape), torch.rand(shape))"
            ),
        )


def _detection() -> Iterator[Script]:
    for name, page in {**ONE_STAGE, **TWO_STAGE}.items():
        side = FIXED_SIDES.get(name)
        one_stage = name in ONE_STAGE
        call = CALL_IMAGE if side is None else f"model(torch.rand(batch_size, 3, {side}, {side}))"
        # To learn its widths the library calls the backbone once: discovery finds that call too.
        probe = " Making it calls its backbone, which is found as a model too." if side else ""
        what = "boxes" if one_stage else "proposals of boxes"
        yield Script(
            corpus="torchvision",
            name=name if one_stage else f"{name}_proposals",
            labels=_labels("object_detection", page),
            source=DOCS.format(page),
            about=f"{name}: what gives scores and offsets of all {what} in a detector.{probe}",
            imports=("import torchvision",),
            parameters=IMAGE if side is None else ("batch_size", "pretrained"),
            body=DETECTOR.format(
                weights=WEIGHTS,
                name=name,
                boxes=what,
                head="head" if one_stage else "rpn.head",
                call=call,
            ),
        )


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    yield from _segmentation()
    yield from _video()
    yield from _flow()
    yield from _detection()
