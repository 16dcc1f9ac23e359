package words

// swedish is the catalogue of Swedish: what is said, by the English of it. Each sentence stands in one of its
// parts.
var swedish = []map[string]string{swedishCodes, swedishWork, swedishTerminal, swedishReports, swedishHelp, swedishPages, swedishWords, swedishMails}
