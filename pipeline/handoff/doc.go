// Package handoff claims users by files alone: it checks a file, and makes the parts that somebody uploads to
// Webex Control Hub. It needs no database.
//
//	check, make  file ─▶ read ─blocks▶ check rows ─▶ count, left-out.csv   then, of the rows that remain,
//	             file ─▶ read ─blocks▶ cut out cells ─▶ part-01-of-03.csv …, manifest.json
//
// Stages and the order of blocks are those of an import (package pipeline); address keys, repairs and the
// columns that Claimline itself knows are those of package usersfile, and reports those of package report.
// What headers mean to Control Hub is read from the organization's own template, never from a list of ours:
// Survey is to a template what a plan is to an import.
//
// What the folder of a hand-off holds is in package folder, and what has become of the rows in package
// results.
package handoff
