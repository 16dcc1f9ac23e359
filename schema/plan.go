package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Order is what is asked of an import. What is written as JSON is kept with it.
type Order struct {
	Organization     string   `json:"-"` // the claiming one
	Offline          bool     `json:"-"` // make the row checks alone; needs no store
	AllOrNothing     bool     `json:"-"` // one problem, and nothing is claimed
	ActivationEmails *bool    `json:"-"` // nil: as the organization has it (R18)
	By               string   `json:"-"` // who asks, as in terminal:root
	Attended         bool     `json:"-"` // who asks drives the import, too
	RequestKey       string   `json:"-"` // see Import
	RequestDigest    []byte   `json:"-"` // likewise
	Notify           []string `json:"-"` // addresses that are told how it went

	Encoding      string            `json:"encoding,omitempty"`       // in which the file is read; blank: it has to be certain
	Sheet         string            `json:"sheet,omitempty"`          // that is read of a workbook; blank: it has to be certain
	Columns       map[string]string `json:"columns,omitempty"`        // what a column is: header → column of the users file, or service
	IgnoreColumns []string          `json:"ignore_columns,omitempty"` // headers that mean nothing
	EveryRow      bool              `json:"every_row,omitempty"`      // a file without Claim claims every row
	NoEdits       bool              `json:"no_edits,omitempty"`       // leave the accounts' data alone (R17)
}

// OrderOf returns the order that an import was made by.
func OrderOf(imp Import) (Order, error) {
	order := Order{Organization: imp.OrganizationID, AllOrNothing: imp.AllOrNothing, ActivationEmails: &imp.ActivationEmails, Notify: imp.Notify}
	if len(imp.Options) == 0 {
		return order, nil
	}
	if err := json.Unmarshal(imp.Options, &order); err != nil {
		return Order{}, fmt.Errorf("decode the options: %w", err)
	}
	return order, nil
}

// Format is how the records of a file are written. Reports are written so too, but always as UTF-8.
type Format struct {
	Delimiter byte   `json:"delimiter"`         // 0 is a comma
	CRLF      bool   `json:"crlf"`              // lines end with CR LF, not LF
	BOM       bool   `json:"bom"`               // a byte order mark comes first; true for a file that was UTF-16
	Columns   int    `json:"columns,omitempty"` // cells of the header, to read records by; 0: not known
	Cut       string `json:"cut,omitempty"`     // surplus delimiters at the end of the header, which rows may have too
	// Workbook says that the file is a workbook. Its records are then those of a sheet as CSV, in which each
	// is a line, whatever it holds: the lines are the rows of the sheet.
	Workbook bool `json:"workbook,omitempty"`
}

// Plan is what an import would do, as a whole: what is shown before anybody is asked.
type Plan struct {
	File           string            `json:"-"`
	SHA256         string            `json:"-"`
	Header         []string          `json:"header"`             // every cell as it is in the file
	Mojibake       bool              `json:"mojibake,omitempty"` // its cells are UTF-8 that was taken for Windows-1252
	Format         Format            `json:"format"`
	Rules          string            `json:"rules,omitempty"`    // names what decided: the policy, and the program
	Services       []string          `json:"services,omitempty"` // of the claiming organization when it was made
	Repairs        map[Repair]int    `json:"repairs,omitempty"`
	UnknownColumns []string          `json:"unknown_columns,omitempty"`
	Types          map[ClaimType]int `json:"types,omitempty"`      // rows ready, by claim type
	Reasons        map[Code]int      `json:"reasons,omitempty"`    // rows that are not ready, by first reason
	Problems       map[Code][]int    `json:"problems,omitempty"`   // the first lines of each first reason
	Causes         []Cause           `json:"causes,omitempty"`     // why rows are not claimed, the most frequent first
	Edits          []ColumnEdits     `json:"edits,omitempty"`      // what ready rows change of accounts, in the order of the columns (R17)
	NameEdits      int               `json:"name_edits,omitempty"` // ready rows that replace a first, last or display name
	Doubtful       map[string]int    `json:"doubtful,omitempty"`   // cells that are not written to accounts, by column (R17)
	Licenses       []LicenseNeed     `json:"licenses,omitempty"`
	Tally          Tally             `json:"-"`
}

// LicenseNeed is what the ready rows take of one service (R17).
type LicenseNeed struct {
	Service   string `json:"service"`
	Assigned  int    `json:"assigned"`  // to immediate claims
	Asked     int    `json:"asked"`     // by delayed claims, for their completion
	Missing   int    `json:"missing"`   // wanted by immediate claims, and none is left
	Left      int    `json:"left"`      // before the import
	Unlimited bool   `json:"unlimited"` // Left means nothing
}

// PlanOf returns the plan that an import kept.
func PlanOf(imp Import) (*Plan, error) {
	plan := &Plan{File: imp.File, SHA256: imp.SHA256, Tally: imp.Tally}
	if err := json.Unmarshal(imp.Plan, plan); err != nil {
		return nil, fmt.Errorf("decode the plan: %w", err)
	}
	return plan, nil
}

// ManyNameEdits reports whether ready rows would replace so many names that an import needs a second
// agreement (R17): those of more than a tenth of them, and of more than 20.
func (p *Plan) ManyNameEdits() bool {
	const tenth, few = 10, 20
	return p.NameEdits > few && p.NameEdits*tenth > p.Tally.Outcomes[Ready]
}

// Summary returns the plan as the summary of a dry run that took from started to finished.
func (p *Plan) Summary(order Order, started, finished time.Time) Summary {
	s := summary(p, p.Tally)
	s.File, s.SHA256, s.Organization, s.DryRun = p.File, p.SHA256, order.Organization, true
	s.foresee(p.Tally)
	s.State = StateCompleted
	if p.Tally.Problems() > 0 {
		s.State = StateCompletedWithErrors
	}
	s.StartedAt, s.FinishedAt = Moment(started), Moment(finished)
	return s
}

// foresee adds what comes true once the rows that are ready are claimed.
func (s *Summary) foresee(t Tally) {
	for code, n := range t.Foreseen {
		s.Warnings[code] += n
	}
	for column, n := range t.ForeseenEdits {
		s.Edits[column] += n
	}
}

// Summary returns the import as a whole: as planned while it waits for consent; then rows whose turn has not
// come count as not attempted.
func (imp Import) Summary() (Summary, error) {
	plan := &Plan{}
	if len(imp.Plan) > 0 { // none while it is being planned
		var err error
		if plan, err = PlanOf(imp); err != nil {
			return Summary{}, err
		}
	}
	s := summary(plan, imp.Tally)
	s.ID = strconv.FormatInt(imp.ID, 10)
	s.File, s.SHA256, s.Organization, s.State = imp.File, imp.SHA256, imp.OrganizationID, imp.State
	if imp.State == StateAwaitingConsent {
		s.foresee(imp.Tally)
	} else {
		s.NotAttempted += s.Ready
		if imp.Reason != "" && s.Ready > 0 {
			s.Reasons[imp.Reason] += s.Ready
		}
		s.Ready = 0
	}
	s.StartedAt, s.FinishedAt = Moment(imp.StartedAt), Moment(imp.FinishedAt)
	return s, nil
}

// summary counts what a plan and its dry run, or its import, have in common.
func summary(plan *Plan, t Tally) Summary {
	s := Summary{
		Rows: t.Rows, Ready: t.Outcomes[Ready], Claimed: t.Outcomes[Claimed], Unchanged: t.Outcomes[Unchanged],
		Skipped: t.Outcomes[Skipped], Invalid: t.Outcomes[Invalid], Ineligible: t.Outcomes[Ineligible],
		Failed: t.Outcomes[Failed], NotAttempted: t.Outcomes[NotAttempted],
		Warnings: map[Code]int{}, Reasons: map[Code]int{}, Edits: map[string]int{}, Repairs: map[Repair]int{}, UnknownColumns: []string{},
	}
	maps.Copy(s.Warnings, t.Warnings)
	maps.Copy(s.Reasons, t.Reasons)
	maps.Copy(s.Edits, t.Edits)
	maps.Copy(s.Repairs, plan.Repairs)
	s.UnknownColumns = append(s.UnknownColumns, slices.Clone(plan.UnknownColumns)...)
	return s
}

// Moment returns a time as it is written in JSON, in whole seconds of UTC; null where there is none.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
