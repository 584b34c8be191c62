"""The first sheet: how the others are filled in, and which fields each kind of rule has."""

from __future__ import annotations

from allocator.formats.workbook import layout, words
from allocator.formats.workbook.write import Book
from allocator.texts import Text

_LINES = (
    Text(
        "Chaque feuille décrit une chose, une par ligne. Gardez les noms des feuilles ; tout le reste peut bouger.",
        "Each sheet describes one thing, one a row. Keep the names of the sheets; all else may move.",
    ),
    Text(
        "Les colonnes se reconnaissent à leur en-tête, en français, en anglais ou par la clé du contrat (asked, on.where) ; "
        "l'ordre des colonnes et des lignes ne compte pas, les lignes vides et les titres au-dessus non plus. Les lignes et "
        "colonnes masquées ou filtrées comptent.",
        "Columns are recognised by their header, in French, in English or by the contract's key (asked, on.where); "
        "the order of columns and rows does not matter, nor do empty rows and titles above. "
        "Hidden and filtered rows and columns count.",
    ),
    Text(
        "Montants : 300000, « 1 234,50 € », « 780 k€ », « 2 M€ », « 15 Md€ » ; une colonne « Montant (M€) » se compte en M€. "
        "Taux : 0,52 ou 52 %.",
        "Amounts: 300000, “1 234,50 €”, “780 k€”, “2 M€”, “15 Md€”; a column “Amount (M€)” counts in M€. "
        "Rates: 0.52 or 52 %.",
    ),
    Text(
        "Plusieurs valeurs : « friche ; rebond ». Années : « 2026 ; 2027 » ou « 2026-2028 ». "
        "Où : « region : 11, 24 ; population : min 20000 max 50000 ». Une case vide ne choisit rien de particulier : tout.",
        "Several values: “friche ; rebond”. Years: “2026 ; 2027” or “2026-2028”. "
        "Where: “region : 11, 24 ; population : min 20000 max 50000”. An empty cell chooses nothing in particular: everything.",
    ),
    Text(
        "Objectif : « emplois : 1 ; hectares : 0,1 », des points par unité d'indicateur.",
        "Objective: “jobs : 1 ; hectares : 0.1”, points per unit of an indicator.",
    ),
    Text(
        "Territoires et Dossiers acceptent vos colonnes. Des codes faits de chiffres se gardent comme textes avec un en-tête "
        "« code (texte) ». Une colonne dont l'en-tête commence par « # » est ignorée ; les feuilles d'un autre nom aussi.",
        "Territories and Demands take columns of your own. Codes made of digits stay texts under a header “code (text)”. "
        "A column whose header begins with “#” is ignored; so are sheets of other names.",
    ),
    Text(
        "Ce qui est entre guillemets droits est pris tel quel : \"01\", \"oui\". Les formules sont lues par leur dernière valeur.",
        "What stands in straight double quotes is taken as it is: \"01\", \"yes\". Formulas are read by their last value.",
    ),
    Text(
        "allocator check CE-FICHIER.xlsx dit tout ce qui ne va pas, case par case ; allocator solve CE-FICHIER.xlsx --out plan "
        "calcule le plan.",
        "allocator check THIS-FILE.xlsx tells all that is wrong, cell by cell; allocator solve THIS-FILE.xlsx --out plan "
        "finds the plan.",
    ),
)  # fmt: skip


def write_readme(book: Book, lines: tuple[Text, ...] = ()) -> None:
    """The sheet, with `lines` of the moment before those that always hold."""
    sheet = book.sheet(str(words.README), str(Text("Un scénario d'allocation", "An allocation scenario")))
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 110)
    row = 2
    for line in (*lines, *_LINES):
        sheet.merge_range(row, 0, row, 1, "", book.wrap)
        sheet.write_string(row, 0, str(line), book.wrap)
        sheet.set_row(row, 15 * (1 + len(str(line)) // 145))
        row += 1
    row += 1
    sheet.write_string(row, 0, str(Text("Règle", "Kind")), book.head)
    sheet.write_string(
        row, 1, str(Text("Ses champs, outre la sélection", "Its fields, beside the selection")), book.head
    )
    common = {column.path for column in layout.columns("constraints") if column.kinds is None}
    for kind, fields in layout.kinds_of_constraint().items():
        row += 1
        own = [c.header for path, c in fields.items() if path[0] != "on" and path not in common]
        sheet.write_string(row, 0, f"{layout.title(kind)} ({kind})", book.label)
        sheet.write_string(row, 1, " ; ".join(own), book.wrap)
    sheet.activate()
