package desk

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// Import is an import as it is answered: its summary, and what else there is to know of it.
type Import struct {
	schema.Summary
	CreatedBy    string     `json:"created_by" doc:"the name of a token, terminal:USER, or schedule:NAME"`
	ConsentedBy  *string    `json:"consented_by" doc:"who agreed to the plan; null: nobody has"`
	ConsentedAt  *time.Time `json:"consented_at"`
	Schedule     *string    `json:"schedule" doc:"that made it; null: none"`
	Notify       []string   `json:"notify" doc:"addresses that are told how it went"`
	Progress     Progress   `json:"progress"`
	RetractUntil *time.Time `json:"retract_until" doc:"when the first of its claims can be retracted no longer; null: it has made none"`
	CompletesAt  *time.Time `json:"completes_at" doc:"when the first of its delayed claims completes by itself; null: it has made none"`
	Plan         *Plan      `json:"plan" doc:"null: it was not planned to its end"`
}

// Progress is how far an import is.
type Progress struct {
	Done  int `json:"done" doc:"rows of which it is known what became of them"`
	Total int `json:"total"`
}

// Plan is what an import would do, as it was planned.
type Plan struct {
	Types            PlanTypes      `json:"types"`
	Licenses         []PlanLicense  `json:"licenses" doc:"what its rows ask for, by service"`
	Mails            PlanMails      `json:"mails"`
	ContentStays     int            `json:"content_stays" doc:"users whose conversations stay in the original organization"`
	Edits            map[string]int `json:"edits" doc:"cells that change an account, by column"`
	NeedsAcceptEdits bool           `json:"needs_accept_edits" doc:"so many accounts would get another name that it needs an agreement of its own"`
	Problems         []PlanProblem  `json:"problems" doc:"rows that are not claimed, by first reason, the most frequent first"`
}

// PlanTypes counts the rows that are ready.
type PlanTypes struct {
	Immediate int `json:"immediate"`
	Delayed   int `json:"delayed"`
}

// PlanLicense is what rows ask for of one service.
type PlanLicense struct {
	Service      string `json:"service"`
	Asked        int    `json:"asked" doc:"by immediate claims"`
	Assigned     int    `json:"assigned" doc:"to immediate claims"`
	Missing      int    `json:"missing" doc:"to immediate claims, for none is left"`
	Left         *int   `json:"left" doc:"afterwards; null: there is no limit"`
	OnCompletion int    `json:"on_completion" doc:"asked for by delayed claims, for when they complete"`
}

// PlanMails counts mails.
type PlanMails struct {
	Claim      int `json:"claim"`
	Activation int `json:"activation" doc:"of the immediate claims"`
}

// PlanProblem is why rows are not claimed.
type PlanProblem struct {
	Code  schema.Code `json:"code"`
	Count int         `json:"count"`
	Lines []int       `json:"lines" doc:"the first ten"`
}

// View returns an import as it is answered.
func (d *Desk) View(imp schema.Import) (Import, error) {
	v := Import{CreatedBy: imp.CreatedBy, ConsentedAt: schema.Moment(imp.ConsentedAt), Notify: []string{}}
	var err error
	if v.Summary, err = imp.Summary(); err != nil {
		return v, err
	}
	order, err := schema.OrderOf(imp)
	if err != nil {
		return v, err
	}
	v.Notify = append(v.Notify, order.Notify...)
	if imp.ConsentedBy != "" {
		v.ConsentedBy = &imp.ConsentedBy
	}
	if name, found := strings.CutPrefix(imp.CreatedBy, "schedule:"); found {
		v.Schedule = &name
	}
	v.Progress = Progress{Done: imp.Tally.Rows - imp.Tally.Outcomes[schema.Ready], Total: imp.Tally.Rows}
	if len(imp.Plan) == 0 {
		return v, nil
	}
	plan, err := schema.PlanOf(imp)
	if err != nil {
		return v, err
	}
	v.Plan = planView(imp, plan)
	if imp.Tally.Outcomes[schema.Claimed] > 0 {
		until := imp.ConsentedAt.Add(d.Flow.Policy.DecisionTime())
		v.RetractUntil = schema.Moment(until)
		if plan.Types[schema.Delayed] > 0 {
			v.CompletesAt = v.RetractUntil
		}
	}
	return v, nil
}

// planView returns a plan as it was when the import was planned.
func planView(imp schema.Import, plan *schema.Plan) *Plan {
	v := &Plan{
		Types:    PlanTypes{Immediate: plan.Types[schema.Immediate], Delayed: plan.Types[schema.Delayed]},
		Licenses: []PlanLicense{}, Edits: map[string]int{}, Problems: []PlanProblem{},
	}
	v.Mails.Claim = v.Types.Immediate + v.Types.Delayed
	if imp.ActivationEmails {
		v.Mails.Activation = v.Types.Immediate
	}
	stays := schema.CodeContentNotTransferred
	v.ContentStays = imp.Tally.Foreseen[stays] + imp.Tally.Warnings[stays]
	asPlanned := *plan
	asPlanned.Tally = schema.Tally{Outcomes: map[schema.Outcome]int{schema.Ready: v.Mails.Claim}}
	v.NeedsAcceptEdits = asPlanned.ManyNameEdits()
	for i := range plan.Edits {
		v.Edits[plan.Edits[i].Column] = plan.Edits[i].Count
	}
	for _, need := range plan.Licenses {
		license := PlanLicense{Service: need.Service, Asked: need.Assigned + need.Missing, Assigned: need.Assigned, Missing: need.Missing, OnCompletion: need.Asked}
		if license.Asked+license.OnCompletion == 0 {
			continue
		}
		if left := need.Left - need.Assigned; !need.Unlimited {
			license.Left = &left
		}
		v.Licenses = append(v.Licenses, license)
	}
	for _, code := range slices.SortedFunc(maps.Keys(plan.Reasons), func(a, b schema.Code) int {
		return cmp.Or(cmp.Compare(plan.Reasons[b], plan.Reasons[a]), cmp.Compare(a, b))
	}) {
		if code.Problem() {
			v.Problems = append(v.Problems, PlanProblem{Code: code, Count: plan.Reasons[code], Lines: slices.Concat([]int{}, plan.Problems[code])})
		}
	}
	return v
}
