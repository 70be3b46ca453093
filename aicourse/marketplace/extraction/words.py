"""Words for the colours and materials of the labelling guide: shades, kinds, plain names in other languages.

The English ones are the guide's (datasets/listings/ANNOTATION.md). The others are everyday names in German,
Dutch, French, Italian, Spanish, Polish and Swedish, written without any listing of the test split in view, so
that they are no answer key. A word stands alone, or with an s; a hyphen says where it may go on: "czarn-" is
in "czarna", "-leder" in "Rindsleder". Accents are left out. Not handled: other languages, typos.

Prompt versions that offer only what the listing has words for depend on these: change one, and the replies
recorded for the listings that have it no longer fit.
"""

from __future__ import annotations

COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "black": (
        "-schwarz-", "-zwart", "noir", "nero", "nera", "negro", "negra", "czarn-", "svart", "noire",
        "schwarze", "schwarzer", "schwarzes",
    ),
    "white": (
        "off-white", "-weiss", "wit", "witte", "blanc", "bianc-", "blanco", "blanca", "bialy", "biala",
        "biale", "vita", "weisse", "blanche",
    ),
    "grey": (
        "gray", "anthracite", "charcoal", "antracite", "-anthrazit-", "-grau", "graue", "grauer", "graues",
        "grijs", "gris", "grigi-", "szar",
    ),
    "beige": ("cream", "ivory", "sand", "camel", "nude", "creme", "crema", "-elfenbein-", "ecru", "bezow-"),
    "brown": (
        "chocolate", "cognac", "tan", "-braun", "braune", "brauner", "braunes", "bruin", "marron", "brun",
        "marrone", "brazow-",
    ),
    "red": (
        "burgundy", "wine", "crimson", "bordeaux", "rot", "weinrot", "dunkelrot", "hellrot", "rote",
        "roter", "rotes", "rood", "rode", "rouge", "rosso", "rossa", "rojo", "roja", "czerwon-",
    ),
    "pink": ("fuchsia", "rose", "rosa", "roze", "rozow-"),
    "orange": ("rust", "terracotta", "coral", "salmon", "copper-coloured", "oranje", "arancio-", "naranja"),
    "yellow": (
        "mustard", "-gelb", "gelbe", "gelber", "gelbes", "geel", "gele", "jaune", "giall-", "amarill-",
        "zolt-", "gul",
    ),
    "green": (
        "khaki", "olive", "mint", "sage", "-grun", "grune", "gruner", "grunes", "-groen", "vert", "verte",
        "verde", "zielon-", "gron",
    ),
    "blue": (
        "navy", "indigo", "denim", "-blau", "blaue", "blauer", "blaues", "-blauw", "bleu", "blu", "azul",
        "azzurr-", "niebiesk-", "granatow-", "marine", "jeans",
    ),
    "turquoise": ("petrol", "teal", "aqua", "-turkis-", "turchese", "turquesa", "turkus-"),
    "purple": (
        "lilac", "violet", "plum", "aubergine", "lila", "viola", "-paars", "fiolet-", "morado", "mauve",
    ),
    "gold": ("golden", "brass-coloured", "goud", "gouden", "dore", "oro", "dorado", "zlota", "guld"),
    "silver": ("-silber-", "-zilver-", "argent", "argento", "plata", "plateado", "srebrn-"),
    "multicolour": (
        "multicolor", "multi-coloured", "colourful", "colorful", "all colours", "every colour",
        "every color", "rainbow", "patchwork", "bunt", "multicolore", "kolorow-", "bont",
    ),
    "transparent": (
        "clear", "see-through", "klar", "trasparente", "transparente", "doorzichtig", "przezroczyst-",
    ),
}  # fmt: skip

MATERIAL_WORDS: dict[str, tuple[str, ...]] = {
    "cotton": ("-baumwoll-", "-katoen-", "coton", "cotone", "algodon", "baweln-", "bomull"),
    "wool": (
        "merino", "mohair", "alpaca", "tweed", "woollen", "wolle", "schurwolle", "lammwolle", "wol",
        "wollen", "laine", "weln-", "ull", "alpaka",
    ),
    "cashmere": ("-kaschmir-", "kasjmier", "cachemire", "kaszmir-"),
    "linen": ("-leinen-", "-linnen-", "lino", "lnian-"),
    "silk": ("seide", "-zijde", "soie", "seta", "seda", "jedwab-", "silke"),
    "denim": ("jean", "jeans", "-jeansstoff-"),
    "leather": ("-leder", "leren", "cuir", "cuoio", "pelle", "cuero", "piel", "skora", "skorzan-", "lader"),
    "suede": ("-wildleder-", "-veloursleder-", "daim", "scamosciat-", "zamsz", "mocka", "nubuck"),
    "faux_leather": (
        "faux", "fake leather", "vegan leather", "leatherette", "pleather", "pu leather", "not leather",
        "-kunstleder-", "imitation leather", "similicuir", "ecopelle", "synthetic leather", "good fake",
    ),
    "faux_fur": ("fake fur", "kunstpelz", "faux-fur", "teddy fur"),
    "polyester": ("fleece", "gore-tex", "goretex", "poliestere", "poliester"),
    "nylon": ("polyamide", "polyamid"),
    "acrylic": ("acryl", "acrylique", "acrilico", "akryl"),
    "viscose": ("rayon", "viskose", "viscosa", "wiskoz-"),
    "elastane": ("spandex", "lycra", "elasthan", "stretch"),
    "velvet": ("samt", "-fluweel-", "velours", "velluto", "terciopelo", "aksamit-", "sammet"),
    "down": ("daune", "dons", "duvet d'oie", "piuma", "plumon"),
    "felt": ("filz", "vilt", "feutre", "feltro", "fieltro", "filc"),
    "rubber": ("-gummi", "-kautschuk-", "caoutchouc", "gomma", "goma", "guma"),
    "plastic": (
        "plexiglas", "pvc", "resin", "formica", "melamine", "-plastik-", "-kunststof-", "plastique",
        "plastica", "lego",
    ),
    "wood": (
        "oak", "pine", "beech", "teak", "walnut", "plywood", "mdf", "veneer", "wooden", "birch", "ash",
        "cherry", "mahogany", "rosewood", "maple", "elm", "-holz", "hout", "houten", "bois", "legno",
        "madera", "drewn-", "eiche", "-kiefer-", "buche", "eiken", "chene", "rovere", "roble",
    ),
    "bamboo": ("-bambus-", "bambou", "bambu-"),
    "rattan": (
        "straw", "wicker", "sea-grass", "seagrass", "basketwork", "cane", "osier", "mimbre", "stroh",
        "wiklin-",
    ),
    "cork": ("kork", "kurk", "liege", "sughero", "corcho"),
    "paper": ("cardboard", "-papier-", "pappe", "-karton-", "carton", "carta", "papel"),
    "metal": (
        "steel", "iron", "aluminium", "aluminum", "brass", "copper", "chrome", "silver", "tin", "pewter",
        "bronze", "inox", "-gusseisen-", "-gietijzer-", "-metall-", "-stahl", "-edelstahl-", "eisen",
        "staal", "ijzer", "acier", "fonte", "acciaio", "ghisa", "ferro", "acero", "hierro", "stal",
        "zeliw-", "-messing-", "laiton", "ottone", "alu",
    ),
    "glass": ("-glas", "verre", "vetro", "vidrio", "cristal", "szklan-", "szklo", "pyrex"),
    "ceramic": (
        "porcelain", "stoneware", "china", "terracotta", "earthenware", "pottery", "-porzellan-",
        "-keramik-", "keramiek", "porcelaine", "gres", "porcellana", "porcelana-", "ceramika-",
        "aardewerk",
    ),
    "stone": (
        "marble", "granite", "slate", "soapstone", "marmor", "marmer", "marbre", "marmo", "marmol",
        "stein", "steen", "pierre", "pietra", "kamien-",
    ),
    "foam": ("-schaum-", "-schuim-", "mousse", "piank-"),
}  # fmt: skip
