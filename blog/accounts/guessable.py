"""Passwords of twelve characters and more that are guessed all the same: one's own name, the world's favourites, walks over the keyboard."""

import re
import unicodedata

# What people take when a form asks for something long: one of these, or two in a row, with figures or signs around it.
_FAVOURITES = """
    abcd abcdef access account action adidas admin administrator alexander america amanda andrea andrew angel angels anthony
    apple april arsenal ashley asshole august autumn babygirl bailey banana barcelona baseball basketball batman beautiful
    beautifulgirl birthday blahblah blink blessed blogger board bonjour bonnie brandon bubbles buster butterfly cameron
    carolina champion change changeit changeme changethis changemenow charlie cheese chelsea chicken chocolate christ christian christmas
    cocacola computer confidential cookie cooper cowboy cowboys dallas daniel daniela danielle database david december
    default defaultpassword diamond dolphin donald dragon drowssap eagles easter einstein elizabeth enter evergreen facebook
    faith family february ferrari firebird fishing flower flowers football forever forget forgetmenot forgotten freedom friday friend
    friends fuckoff fuckyou gandalf garfield geheim george ginger gizmo godisgood goodmorning google guitar guest hannah
    happy happybirthday hardcore harley hello helloworld hockey holiday honda hotmail house hunter iloveme iloveyou
    ihateyou imissyou inlove internet israel jackson january jasmine jason jennifer jessica jesus jesuschrist jesusislord
    johnson jonathan jordan joseph joshua july june justin killer kitty knight ladybug lakers letmein letmeinnow letmeinplease
    liverpool login loginlogin london love lovely loveme lover loveyou lucky maggie manager manchester manutd march marina
    marlboro martin maryjane master matrix matthew maverick melissa mercedes merlin michael michelle mickey midnight
    miller minecraft mistress monday money monkey monkeys monster morgan mother motherfucker motdepasse mustang mypassword
    naruto nathan newpassword newyork nicholas nicole nintendo nirvana november number october office oliver online open orange
    pakistan paris parley parola pass passphrase passport passw passwd password passwort patrick peanut pepper phoenix player playboy
    playstation please pokemon police precious princess private purple qazwsx queen qwer qwert qwerty qwertyuiop rachel rainbow
    raiders ranger readonly rebecca redsox richard robert rocknroll root runescape sample samantha samsung
    samuel saturday scooter scorpion secret secretpassword secure security senha september server service shadow shannon simple
    slipknot snoopy snowball soccer softball something sophie spiderman spring starwars steelers stephanie steven
    strawberry student stupid summer summertime sunday sunflower sunshine superman superstar supervisor support sweet
    sweetheart swordfish system taylor teacher temp temporary tester testing test testtest thankyou thomas thunder thursday tiffany tigger
    tinkerbell trinity trustme trustno trustnoone tuesday turtle undertaker unicorn user username vanessa victoria victory
    volleyball warcraft warrior wednesday welcome welcomehome whatever william william windows winner winter wizard
    wordpass wrestling yamaha yankees yellow yourpassword zaqwsx zxcvbn zxcvbnm
"""
FAVOURITES = frozenset(_FAVOURITES.split())

# Signs that stand for letters: "p4$$w0rd" is "password".
_DISGUISES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")

# Lines that a finger or a tongue follows: the alphabet, figures, rows and columns of keyboards (English, German, French).
_LINES = (
    "abcdefghijklmnopqrstuvwxyz", "0123456789" * 8, "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-",
    "azertyuiop", "qsdfghjklm", "wxcvbn", "!@#$%^&*()_+", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "147258369", "741852963", "aqwzsxedcrfvtgbyhn", "zaqxswcdevfrbgtnhymjukilop",
)
_WALKS = tuple({pair for line in _LINES for pair in (line, line[::-1])})
_SHORTEST_WALK = 3

# Fewer different characters than this, or a piece of at most so many said again and again, is a rhythm and no password.
_FEWEST_CHARACTERS = 4
_LONGEST_PIECE = 4


def reason(password: str, username: str, email: str) -> str:
    """Why this password is one of the first that anybody would try, as a sentence for its owner; "" if it is not."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    if _is_own_name(plain, username, email):
        return "This password is made of your name or address, which anybody can see or guess. Choose words that have nothing to do with you."
    if _is_rhythm(plain):
        return "This password says the same few characters again and again. Choose some words that nobody would put together."
    if _is_walk(plain):
        return "This password follows the alphabet, the figures or the keyboard. Choose some words that nobody would put together."
    if _is_favourite(plain):
        return "This password is on the list that is tried first everywhere. Choose some words that nobody would put together."
    return ""


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


def _is_own_name(plain: str, username: str, email: str) -> bool:
    core = _letters(plain)
    own = {_letters(name.casefold()) for name in (username, email, email.partition("@")[0])}
    return any(name and len(core) % len(name) == 0 and core == name * (len(core) // len(name)) for name in own if core)


def _is_rhythm(plain: str) -> bool:
    return len(set(plain)) < _FEWEST_CHARACTERS or (plain + plain).find(plain, 1) <= _LONGEST_PIECE


def _is_walk(plain: str) -> bool:
    """Whether it is walks of three steps or more from end to end, give or take two characters: "123qweasdzxc", "qwertyuiopas"."""
    at = 0
    while len(plain) - at >= _SHORTEST_WALK:
        steps = max(_common(plain, at, line) for line in _WALKS)
        if steps < _SHORTEST_WALK:
            return False
        at += steps
    return True


def _common(plain: str, at: int, line: str) -> int:
    """How many characters from `at` on stand in `line` in the same order without a gap."""
    start = line.find(plain[at])
    size = 0
    while start >= 0 and start + size < len(line) and at + size < len(plain) and line[start + size] == plain[at + size]:
        size += 1
    return size


def _is_favourite(plain: str) -> bool:
    shapes = {_ENDS.sub("", plain), _ENDS.sub("", plain.translate(_DISGUISES)), _ENDS.sub("", _ENDS.sub("", plain).translate(_DISGUISES))}
    return any(shape in FAVOURITES or any(shape[:cut] in FAVOURITES and shape[cut:] in FAVOURITES for cut in range(3, len(shape) - 2)) for shape in shapes)
