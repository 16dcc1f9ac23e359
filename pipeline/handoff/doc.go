// Package handoff claims users by files alone: it makes the files that somebody uploads to Webex Control
// Hub, and finds out what became of their rows. It needs no database.
//
//	check, make  file ─▶ read ─blocks▶ check rows ─▶ count, left-out.csv   then, of the rows that remain,
//	             file ─▶ read ─blocks▶ cut out cells ─▶ part-01-of-03.csv …, manifest.json
//	results      parts ─▶ read ─blocks▶ join with what Control Hub said ─▶ results-01.csv, retry.csv
//	verify       parts ─▶ read ─blocks▶ join with fresh exports ─▶ verified-01.csv, retry.csv
//
// Stages and the order of blocks are those of an import (package pipeline); address keys, repairs and the
// columns that Claimline itself knows are those of package usersfile, and reports those of package report.
// What headers mean to Control Hub is read from the organization's own template, never from a list of ours:
// Survey is to a template what a plan is to an import.
//
// The folder of a hand-off is only ever added to. Its manifest says which line of the source each row of a
// part came from; the address stands in the part itself, which the manifest knows by its hash.
package handoff
