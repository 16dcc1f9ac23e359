package main

import (
	"io"
	"strconv"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/schema"
)

// writeSummary writes the summary of an import as JSON.
func writeSummary(to io.Writer, imp schema.Import) error {
	summary, err := imp.Summary()
	if err != nil {
		return err
	}
	return writeJSON(to, summary)
}

// writeImport shows how an import stands, on one page.
func (a *app) writeImport(to io.Writer, p screen.Page, imp schema.Import) error {
	v := screen.Import{Import: imp, Plan: &schema.Plan{}, Policy: a.config.Policy}
	var err error
	if v.Summary, err = imp.Summary(); err != nil {
		return err
	}
	if len(imp.Plan) > 0 { // none while it is being planned
		if v.Plan, err = schema.PlanOf(imp); err != nil {
			return err
		}
	}
	if !a.agreed.IsZero() {
		v.Took = a.now().Sub(a.agreed)
	}
	if err := v.Write(to, p); err != nil {
		return unwritable(schema.Word("The summary"), err)
	}
	return nil
}

// sayNext says what to do after an import: what must be done about the directory (see R23), and the next
// command.
func (a *app) sayNext(imp schema.Import) {
	if imp.Tally.Outcomes[schema.Claimed] > 0 {
		if imp.Tally.Warnings[schema.CodeContentNotTransferred] > 0 {
			a.say(`Keep the original organizations until their users have chosen.
Deleting one deletes its content for good.`)
		}
		a.say(`Add the claimed users to your directory before the next full synchronization.
Whoever is missing there becomes inactive, and is removed %s later.`, screen.Days(a.config.Policy.InactiveDays))
	}
	a.next(a.nextCommand(imp))
}

// nextCommand returns what one wants to run after an import.
func (a *app) nextCommand(imp schema.Import) string {
	id := strconv.FormatInt(imp.ID, 10)
	again := []string{"import", imp.File}
	if order, err := schema.OrderOf(imp); err == nil {
		again = append(again, flagsOf(order)...)
	}
	switch {
	case imp.State == schema.StateApplying || imp.State == schema.StatePlanning || imp.State == schema.StateQueued:
		return a.command("status", id, "--watch")
	case imp.State == schema.StateFailed && imp.SHA256 == "" && imp.File != schema.ByHand:
		return a.command(again...)
	case imp.State != schema.StateRejected && imp.Tally.Outcomes[schema.Ready] > 0:
		return a.command("resume", id)
	case imp.Tally.Problems() > 0 && !imp.RowsRemoved:
		return a.command(append([]string{"report", id}, writeProblems(imp.File)...)...)
	case imp.State == schema.StateRejected && imp.File != schema.ByHand:
		return a.command(again...)
	case imp.Tally.Outcomes[schema.Claimed] > 0:
		return a.command("sync", "preview", "DIRECTORY.csv", "--missing", "missing.csv")
	}
	return a.command("report", id)
}
