// Package pages serves the pages for people: those of administrators, who sign in with a token, and the
// owner's page, on which somebody whose account was claimed chooses what becomes of it.
//
// Pages are written on the server, and right without JavaScript. They apply no rules and drive nothing
// themselves: what they show and do is what the commands and the API show and do.
package pages
