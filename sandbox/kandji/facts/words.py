"""The vocabulary of the invented tenant: people, models, releases, blueprints, tags."""

from typing import NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Ada Alma Amir Anouk Ben Bela Carla Chidi Dana Dario Elif Emil Esra Farid Fleur Gita Goran Hana Hugo Ida Idris "
    "Ines Ivo Jana Joris Juno Kai Kira Lara Leif Lena Liam Luca Mara Mats Maya Mila Milo Nadia Nils Noor Nora Olga "
    "Omar Otto Pia Priya Quinn Rafa Remy Rosa Sami Selma Sven Tara Theo Tilda Uma Vera Viggo Wanda Yara Yusuf Zoe"
)

LAST_NAMES = _words(
    "Abel Adler Arden Baker Berg Birch Blum Brandt Castell Claes Cole Dahl Dean Dorn Eklund Ellis Falk Fenn Frost "
    "Garner Glass Grau Hale Hart Heller Holm Ibsen Jansen Karr Keller Kern Kline Lange Lark Linde Loewe Marsh Meyer "
    "Moss Nash Noble Norden Oakes Olsen Palm Penn Pryce Quist Rahn Reed Ritter Roth Sand Stark Stone Thorn Trent "
    "Ueda Vale Voss Weir Wilde Winter Yates"
)


class Model(NamedTuple):
    """A marketing name, what people call it, and what the device calls itself."""

    name: str
    family: str
    identifier: str
    chip: str = ""


class Release(NamedTuple):
    version: str
    build: str


MODELS = {
    "Mac": (
        Model("MacBook Pro (14-inch, 2023)", "MacBook Pro", "Mac14,9", "Apple M2 Pro"),
        Model("MacBook Pro (16-inch, Nov 2023)", "MacBook Pro", "Mac15,7", "Apple M3 Pro"),
        Model("MacBook Air (M2, 2022)", "MacBook Air", "Mac14,2", "Apple M2"),
        Model("MacBook Air (15-inch, M3, 2024)", "MacBook Air", "Mac15,13", "Apple M3"),
        Model("iMac (24-inch, 2023)", "iMac", "Mac15,4", "Apple M3"),
        Model("Mac mini (2024)", "Mac mini", "Mac16,10", "Apple M4"),
    ),
    "iPhone": (
        Model("iPhone 15", "iPhone", "iPhone15,4"),
        Model("iPhone 14", "iPhone", "iPhone14,7"),
        Model("iPhone SE (3rd generation)", "iPhone", "iPhone14,6"),
    ),
    "iPad": (
        Model("iPad (10th generation) (Wi-Fi)", "iPad", "iPad13,18"),
        Model("iPad Air 11-inch (M2) (Wi-Fi)", "iPad", "iPad14,8"),
    ),
    "AppleTV": (Model("Apple TV 4K (3rd generation)", "Apple TV", "AppleTV14,1"),),
}

RELEASES = {
    "Mac": (
        Release("15.3", "24D60"),
        Release("15.2", "24C101"),
        Release("14.7.2", "23H311"),
        Release("26.0.1", "25A362"),
    ),
    "iPhone": (Release("18.3", "22D63"), Release("18.2.1", "22C161"), Release("26.0.1", "23A355")),
    "iPad": (Release("18.3", "22D63"), Release("17.7.3", "21H221")),
    "AppleTV": (Release("18.3", "22K557"), Release("18.2", "22K154")),
}

OS_NAMES = {"Mac": "OSX", "iPhone": "iOS", "iPad": "iPadOS", "AppleTV": "tvOS"}

AGENTS = (Release("5.1.22", "5390"), Release("5.1.20", "5361"), Release("5.0.9", "5288"))

COLORS = ("SILVER", "SPACE GRAY", "MIDNIGHT", "STARLIGHT")

TAGS = ("laptops", "loaner", "executive", "remote", "lab", "kiosk", "pilot", "spare")


class Plan(NamedTuple):
    """A blueprint the tenant has from the start."""

    name: str
    icon: str
    color: str
    type: str
    description: str = ""


BLUEPRINTS = (
    Plan("Engineering", "ss-files", "aqua-800", "classic", "Macs of the engineers"),
    Plan("Sales", "ss-quote", "orange-300", "classic"),
    Plan("Studio", "ss-attach", "aqua-500", "classic"),
    Plan("Phones", "ss-fax", "orange-500", "classic"),
    Plan("Tablets", "ss-files", "aqua-800", "classic"),
    Plan("Meeting Rooms", "ss-paintdisabled", "aqua-500", "classic"),
    Plan("Contractors", "ss-files", "aqua-800", "classic", "Nobody is in it"),
    Plan("Office", "ss-files", "aqua-800", "map"),
)
