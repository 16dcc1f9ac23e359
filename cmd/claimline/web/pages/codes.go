package pages

import "github.com/claimline/claimline/schema"

// englishFixes says what to do about codes whose own fix is for the terminal.
var englishFixes = map[schema.Code]string{
	schema.CodeNotFound:          "Check the address, or begin at the first page.",
	schema.CodeMethodNotAllowed:  "Begin at the first page.",
	schema.CodeRequestInvalid:    "Go back, look at what you filled in, and try again.",
	schema.CodeCrossOrigin:       "Open the page again in this browser, and send the form from there.",
	schema.CodeInternal:          "Try again. If it happens again, tell your administrator.",
	schema.CodeUserInactive:      "Ask the organization to make the account active again.",
	schema.CodeUserNotFound:      "Check the spelling.",
	schema.CodeNotClaimed:        "There is nothing to do.",
	schema.CodeScheduleNotFound:  "See which there are under Schedules.",
	schema.CodeScheduleRunning:   "Wait until its run has ended.",
	schema.CodeScheduleInvalid:   "Let it go on first.",
	schema.CodeTokenNotFound:     "See which there are under Settings.",
	schema.CodeDomainNotClaimed:  "There is nothing to release.",
	schema.CodeDirectoryMismatch: "Name the column of the addresses, under More choices.",
	schema.CodeTokenInvalid:      "Copy the whole token again, or ask your administrator for another.",
}

// swedishCodes says in Swedish what codes mean, and what to do about them.
var swedishCodes = map[schema.Code][2]string{
	schema.CodeNotFound:           {"Det finns ingen sida på den adressen.", "Kontrollera adressen, eller börja på första sidan."},
	schema.CodeMethodNotAllowed:   {"Sidan kan inte användas så.", "Börja på första sidan."},
	schema.CodeRequestInvalid:     {"Det som skickades in kan inte läsas.", "Gå tillbaka, se över det du fyllde i och försök igen."},
	schema.CodeCrossOrigin:        {"Formuläret skickades från en annan webbplats.", "Öppna sidan på nytt i webbläsaren och skicka formuläret därifrån."},
	schema.CodeInternal:           {"Något gick fel som inte beror på dig.", "Försök igen. Kontakta din administratör om det händer på nytt."},
	schema.CodeTooManyRequests:    {"För många försök har misslyckats.", "Vänta en minut och försök igen."},
	schema.CodeEmailInvalid:       {"E-postadressen är inte giltig.", "Skriv den som namn@example.com, utan citattecken, kommentarer eller blanksteg."},
	schema.CodeEmailUnchanged:     {"Det är den adress som kontot redan har.", "Ange en annan adress."},
	schema.CodeEmailTaken:         {"Ett annat konto har redan den adressen.", "Ange en annan adress."},
	schema.CodeEmailDomainTaken:   {"Adressens domän tillhör en organisation.", "Ange en adress på en annan domän, till exempel din privata."},
	schema.CodeChoiceNotAvailable: {"Det valet finns inte för det här kontot.", "Välj något av det som står på sidan."},
	schema.CodeUserInactive:       {"Kontot är inaktivt, så det går inte att logga in.", "Be organisationen att aktivera kontot igen."},
	schema.CodeNotClaimed:         {"Det finns inget öppet anspråk på kontot.", "Det finns inget att göra."},
	schema.CodeTokenInvalid:       {"Det är ingen giltig token: den är fel, har återkallats eller har gått ut.", "Kopiera hela din token en gång till, eller be din administratör om en ny."},
	schema.CodeRoleTooLow:         {"Din token räcker inte för det här.", "Be din administratör om en token med högre behörighet."},
	schema.CodeUserNotFound:       {"Inget konto har den adressen.", "Kontrollera stavningen."},
	schema.CodeScheduleInvalid:    {"Schemat kan inte köras som det är: det är pausat.", "Låt det fortsätta först."},
	schema.CodeScheduleNotFound:   {"Det finns inget sådant schema.", "Se vilka scheman som finns under Scheman."},
	schema.CodeScheduleRunning:    {"Schemat körs redan.", "Vänta tills körningen är klar."},
	schema.CodeTokenNotFound:      {"Det finns ingen sådan token.", "Se vilka som finns under Inställningar."},
	schema.CodeDomainInvalid:      {"Det är inget domännamn.", "Skriv det som example.com."},
	schema.CodeDomainNotClaimed:   {"Din organisation har inte gjort anspråk på domänen.", "Det finns inget att frigöra."},
	schema.CodeTXTRecordMissing:   {"Domänen har ingen TXT-post med rätt innehåll.", "Publicera posten precis som den visas, vänta en stund och kontrollera igen."},
	schema.CodeDNSFailed:          {"Namnservrarna gav inget svar.", "Försök igen senare, eller be den som sköter tjänsten att se över dess namnserver."},
	schema.CodeDirectoryMismatch:  {"Listan stämmer inte med era medlemmar.", "Ange vilken kolumn adresserna står i, under Fler val."},
}
