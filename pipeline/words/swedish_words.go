package words

// swedishWords is single words that sentences are made with: states, statuses, choices, delimiters.
var swedishWords = map[string]string{
	"%d h %d min": "%d tim %d min",

	"queued":                "väntar på sin tur",
	"planning":              "planeras",
	"awaiting consent":      "väntar på ett godkännande",
	"applying":              "pågår",
	"completed":             "slutförd",
	"completed with errors": "slutförd, med problem",
	"rejected":              "avvisad",
	"cancelled":             "avbruten",
	"interrupted":           "har stannat",
	"failed":                "misslyckad",

	"delayed claim": "fördröjt anspråk",
	"active":        "aktiv",
	"not verified":  "inte verifierad",
	"pending":       "väntande",
	"inactive":      "inaktiv",

	"signed in":        "ägaren loggade in",
	"retracted":        "anspråket återkallades",
	"removed":          "borttagen",
	"change email":     "ägaren bytte adress på det gamla kontot",
	"transfer content": "ägaren flyttade med kontot",
	"delete account":   "ägaren tog bort det gamla kontot",

	"Accepted":        "Godtagna",
	"Refused":         "Avvisade",
	"Delayed":         "Fördröjda",
	"Still claimable": "Fortfarande möjliga",
	"Not found":       "Inte hittade",
	"Taken elsewhere": "Tagna av andra",

	"a blank":       "ett blanksteg",
	"an apostrophe": "en apostrof",
	"nothing":       "ingenting",

	"commas":     "komman",
	"semicolons": "semikolon",
	"tabs":       "tabbar",
	"bars (|)":   "lodstreck (|)",
}
