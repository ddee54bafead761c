"""The corpus ``torch_hub``: entry points of hub repositories, built without the network."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template

from script import Script

VISION = "https://github.com/pytorch/vision/blob/main/hubconf.py"

CLASSIFIERS = """
alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161
densenet169 densenet201 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3
efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7 efficientnet_v2_l
efficientnet_v2_m efficientnet_v2_s googlenet inception_v3 maxvit_t mnasnet0_5 mnasnet0_75
mnasnet1_0 mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_16gf
regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_x_8gf
regnet_y_128gf regnet_y_16gf regnet_y_1_6gf regnet_y_32gf regnet_y_3_2gf regnet_y_400mf
regnet_y_800mf regnet_y_8gf resnet101 resnet152 resnet18 resnet34 resnet50 resnext101_32x8d
resnext101_64x4d resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5
shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1 swin_b swin_s swin_t swin_v2_b swin_v2_s swin_v2_t
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_h_14 vit_l_16
vit_l_32 wide_resnet101_2 wide_resnet50_2
""".split()
FIXED_SIZE = {"inception_v3": 299, "maxvit_t": 224}
"""Sides of images, in pixels, for models that take no others; the ViTs are added below."""

WITHOUT_SLOW_START = {"googlenet", "inception_v3"}
"""Models that draw their weights from a slow distribution unless told not to."""

WSL_WIDTHS = (8, 16, 32, 48)

DINO = {
    "dino_vits16": "vit_small_patch16_224",
    "dino_vits8": "vit_small_patch8_224",
    "dino_vitb16": "vit_base_patch16_224",
    "dino_vitb8": "vit_base_patch8_224",
    "dino_xcit_small_12_p16": "xcit_small_12_p16_224",
    "dino_xcit_small_12_p8": "xcit_small_12_p8_224",
    "dino_xcit_medium_24_p16": "xcit_medium_24_p16_224",
    "dino_xcit_medium_24_p8": "xcit_medium_24_p8_224",
}
DINOV2 = {
    "dinov2_vits14": "vit_small_patch14_dinov2",
    "dinov2_vits14_reg": "vit_small_patch14_reg4_dinov2",
    "dinov2_vitb14": "vit_base_patch14_dinov2",
    "dinov2_vitb14_reg": "vit_base_patch14_reg4_dinov2",
    "dinov2_vitl14": "vit_large_patch14_dinov2",
    "dinov2_vitl14_reg": "vit_large_patch14_reg4_dinov2",
}
"""Hub entry points by the model of timm that has the same layers."""

CIFAR_RESNETS = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9}
"""Blocks in each of the three stages."""

CIFAR_VGGS = {
    "vgg11_bn": (1, 1, 2, 2, 2),
    "vgg13_bn": (2, 2, 2, 2, 2),
    "vgg16_bn": (2, 2, 3, 3, 3),
    "vgg19_bn": (2, 2, 4, 4, 4),
}
"""Convolutions in each of the five stages."""

CIFAR_RESNET = Template("""\
class BasicBlock(torch.nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(channels)
        self.conv2 = torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(channels)
        self.shortcut = torch.nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = torch.nn.Sequential(
                torch.nn.Conv2d(channels_in, channels, 1, stride, bias=False),
                torch.nn.BatchNorm2d(channels),
            )

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + self.shortcut(x)).relu()


class CifarResNet(torch.nn.Module):
    def __init__(self, blocks, classes):
        super().__init__()
        layers = [
            torch.nn.Conv2d(3, 16, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(16),
            torch.nn.ReLU(),
        ]
        channels_in = 16
        for channels in (16, 32, 64):
            for block in range(blocks):
                stride = 2 if block == 0 and channels != 16 else 1
                layers.append(BasicBlock(channels_in, channels, stride))
                channels_in = channels
        self.features = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1))
        self.classifier = torch.nn.Linear(channels_in, classes)

    def forward(self, image):
        return self.classifier(self.features(image).flatten(1))


model = CifarResNet(blocks=$blocks, classes=$classes)
model.eval()

model(torch.rand(batch_size, 3, 32, 32))
""")

CIFAR_VGG = Template("""\
class CifarVgg(torch.nn.Module):
    def __init__(self, convolutions, classes):
        super().__init__()
        layers = []
        channels_in = 3
        for count, channels in zip(convolutions, (64, 128, 256, 512, 512)):
            for _ in range(count):
                layers += [
                    torch.nn.Conv2d(channels_in, channels, 3, padding=1),
                    torch.nn.BatchNorm2d(channels),
                    torch.nn.ReLU(),
                ]
                channels_in = channels
            layers.append(torch.nn.MaxPool2d(2))
        self.features = torch.nn.Sequential(*layers)
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(512, 512),
            torch.nn.ReLU(),
            torch.nn.Dropout(),
            torch.nn.Linear(512, 512),
            torch.nn.ReLU(),
            torch.nn.Dropout(),
            torch.nn.Linear(512, classes),
        )

    def forward(self, image):
        return self.classifier(self.features(image).flatten(1))


model = CifarVgg(convolutions=$blocks, classes=$classes)
model.eval()

model(torch.rand(batch_size, 3, 32, 32))
""")


def _labels(author: str, task: str, family: str) -> dict[str, str]:
    return {"author": author, "task": task, "family": family, "modality": "image"}


def _classifiers() -> Iterator[Script]:
    for name in CLASSIFIERS:
        side = 224 if name.startswith("vit_") else FIXED_SIZE.get(name)
        sizes = ("height", "width") if side is None else ()
        shape = "height, width" if side is None else f"{side}, {side}"
        slow = "init_weights=False, " if name in WITHOUT_SLOW_START else ""
        call = f"torchvision.models.{name}({slow}weights=weights)"
        yield Script(
            corpus="torch_hub",
            name=name,
            labels=_labels("torchvision", "image_classification", name.split("_")[0]),
            source=VISION,
            about=f"{name}: an image classifier, an entry point of the hub's pytorch/vision.",
            imports=("import torchvision",),
            parameters=("batch_size", *sizes, "pretrained"),
            body=(
                f'weights = "DEFAULT" if pretrained else None\nmodel = {call}\nmodel.eval()\n\n'
                f"model(torch.rand(batch_size, 3, {shape}))"
            ),
        )


def _weakly_supervised() -> Iterator[Script]:
    for width in WSL_WIDTHS:
        name = f"resnext101_32x{width}d_wsl"
        yield Script(
            corpus="torch_hub",
            name=name,
            labels=_labels("facebookresearch", "image_classification", "resnext"),
            source="https://github.com/facebookresearch/WSL-Images/blob/main/hubconf.py",
            about=f"{name}: a ResNeXt of 101 layers in 32 groups, each {width} channels wide.",
            imports=("import torchvision",),
            parameters=("batch_size", "height", "width"),
            body=(
                "model = torchvision.models.ResNet(\n"
                "    torchvision.models.resnet.Bottleneck,\n"
                f"    [3, 4, 23, 3],\n    groups=32,\n    width_per_group={width},\n)\n"
                "model.eval()\n\nmodel(torch.rand(batch_size, 3, height, width))"
            ),
        )


def _dino() -> Iterator[Script]:
    for models, repository, options in (
        (DINO, "dino", "num_classes=0"),
        (DINOV2, "dinov2", "num_classes=0, img_size=224"),
    ):
        for name, same in models.items():
            yield Script(
                corpus="torch_hub",
                name=name,
                labels=_labels("facebookresearch", "feature_extraction", repository),
                source=f"https://github.com/facebookresearch/{repository}/blob/main/hubconf.py",
                about=(
                    f"{name}: an image encoder trained without labels. It has the layers of timm's "
                    f"{same} without the classifier."
                ),
                imports=("import timm",),
                parameters=("batch_size",),
                body=(
                    f'model = timm.create_model("{same}", {options})\nmodel.eval()\n\n'
                    "model(torch.rand(batch_size, 3, 224, 224))"
                ),
            )


def _cifar() -> Iterator[Script]:
    for classes in (10, 100):
        for models, template in ((CIFAR_RESNETS, CIFAR_RESNET), (CIFAR_VGGS, CIFAR_VGG)):
            for name, blocks in models.items():
                yield Script(
                    corpus="torch_hub",
                    name=f"cifar{classes}_{name}",
                    labels=_labels("chenyaofo", "image_classification", "cifar"),
                    source=(
                        "https://github.com/chenyaofo/pytorch-cifar-models/blob/master/hubconf.py"
                    ),
                    about=f"{name} for the {classes} classes of CIFAR: images of 32 x 32 pixels.",
                    parameters=("batch_size",),
                    body=template.substitute(blocks=blocks, classes=classes),
                )


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    yield from _classifiers()
    yield from _weakly_supervised()
    yield from _dino()
    yield from _cifar()
