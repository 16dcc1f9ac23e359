package words

// swedishMails is what mails, and messages to other programs, say of imports.
var swedishMails = map[string]string{
	"An import could not start":         "En import kunde inte starta",
	"An import has stopped":             "En import har stannat",
	"An import waits for your decision": "En import väntar på ditt beslut",
	"The import failed":                 "Importen misslyckades",
	"The import is done":                "Importen är klar",
	"The import is done, with problems": "Importen är klar, med problem",
	"The import was cancelled":          "Importen avbröts",
	"The import was rejected":           "Importen avvisades",

	"Nobody has been claimed yet: the import would claim %s, and waits for somebody to agree%s.": "Inga anspråk har gjorts ännu: importen skulle göra anspråk på %s och väntar på ett godkännande%s.",
	"Nobody was claimed: %s.":                                     "Inga anspråk gjordes: %s.",
	"Nobody was claimed: %s could not be imported. %s":            "Inga anspråk gjordes: %s kunde inte importeras. %s",
	"%s could not be imported (%s)":                               "%s kunde inte importeras (%s)",
	"The import claimed %s of %s%s.":                              "Importen gjorde anspråk på %s av %s%s.",
	"The import claimed %s of %s, then it was cancelled%s.":       "Anspråk gjordes på %s av %s, sedan avbröts importen%s.",
	"Trouble stopped the import after it had claimed %s of %s%s.": "Importen har stannat på grund av ett fel; anspråk har gjorts på %s av %s%s.",

	"Members, or claimed, before":   "Medlemmar, eller anspråk, sedan tidigare",
	"Not claimed yet":               "Anspråk kvar att göra",
	"Left alone, as the file says":  "Lämnade utanför, som filen säger",
	"Something in the row is wrong": "Något i raden är fel",
	"Not reached":                   "Ej påbörjade",
	"Claims can be retracted until": "Anspråk kan återkallas fram till",
	"Delayed claims complete":       "Fördröjda anspråk slutförs",

	"Attached: %s, the rows with problems. Correct them there and import that file.":             "Bifogat: %s med raderna som har problem. Rätta dem där och importera den filen.",
	"Attached: %s, the whole report as a page.":                                                  "Bifogat: %s, hela rapporten som en sida.",
	"What is too large to be mailed, or has been removed, is not attached: claimline report %s.": "Det som är för stort för ett mejl, eller redan har tagits bort, är inte bifogat: claimline report %s.",

	"Look at the plan, then agree to it or cancel it: open the import, or run claimline resume %s, or claimline cancel %s.": "Se över planen och godkänn eller avbryt den: öppna importen, eller kör claimline resume %s eller claimline cancel %s.",
	"Go on with it where it stopped: claimline resume %s.":                                                                  "Fortsätt där den stannade: claimline resume %s.",
}
