package people

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// list is the full list of an employer's own directory.
type list struct {
	*directory.List
	entries []directory.Entry // by key, then by email
}

func (p *People) listOptions(address string) directory.Options {
	return directory.Options{Limits: p.Limits, Address: address}
}

// readDirectory reads a directory's list; address is the column of the addresses, blank: the first that is
// known. Refused as directory.Read refuses it.
func (p *People) readDirectory(ctx context.Context, source dialect.Source, address string) (*list, error) {
	d := &list{}
	var err error
	d.List, err = directory.Read(ctx, source, p.listOptions(address), func(e directory.Entry) {
		// The cells share the memory of their block, which need not be kept.
		d.entries = append(d.entries, directory.Entry{Key: strings.Clone(e.Key), Email: strings.Clone(e.Email)})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(d.entries, func(a, b directory.Entry) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Email, b.Email))
	})
	return d, nil
}

// Beside is a member who is in the list, but not under the address by which the member is known.
type Beside struct {
	Email string // the member's
	directory.Beside
}

// findBeside looks for the members that the list lacks among what it has beside its entries, and says in rows
// under which address it has them. The list is read once more for it.
func (p *People) findBeside(ctx context.Context, source dialect.Source, address string, plan *SyncPlan) error {
	absent := map[string]int{} // by key, the number of the row
	for i := range plan.Rows {
		row := &plan.Rows[i]
		if row.Listed != "" || row.Effect != schema.SyncDeactivate && row.Effect != schema.SyncInactive {
			continue
		}
		if key, problem := schema.ParseAddress(row.Email); problem == "" {
			absent[key] = i
		}
	}
	if len(absent) == 0 {
		return nil
	}
	options := p.listOptions(address)
	options.Beside = func(b directory.Beside) {
		i, found := absent[b.Key]
		if !found {
			return
		}
		delete(absent, b.Key) // once
		b.Column, b.Email = strings.Clone(b.Column), strings.Clone(b.Email)
		plan.Rows[i].Listed = b.Email
		plan.Beside = append(plan.Beside, Beside{Email: plan.Rows[i].Email, Beside: b})
	}
	_, err := directory.Read(ctx, source, options, func(directory.Entry) {})
	return err
}

// checkFits refuses a list that cannot be the organization's: matched of its rows name somebody that the
// organization lists. That most of them lie in domains that it does not hold is no reason where somebody has
// said which column is meant.
func (p *People) checkFits(ctx context.Context, organization string, source dialect.Source, address string, d *list, matched, members int) error {
	if members == 0 {
		return nil
	}
	refused := schema.Refuse(schema.CodeDirectoryMismatch, "The list does not fit your organization: no address in the column %q is a member's.", d.Column)
	if matched > 0 {
		if address != "" {
			return nil
		}
		foreign, err := p.foreignDomains(ctx, organization, d)
		if err != nil || 2*foreign <= len(d.entries) {
			return err
		}
		refused = schema.Refuse(schema.CodeDirectoryMismatch,
			"The list does not fit your organization: most addresses in the column %q lie in domains that your organization does not hold.", d.Column)
	}
	best, count, err := p.bestColumn(ctx, organization, source, address, len(d.Header))
	if err != nil {
		return err
	}
	refused = refused.At(source.Name(), d.HeaderLine, d.Field()).In(d.Column)
	switch {
	case best >= 0 && best != d.Place && count > matched:
		refused.Message = refused.Message.And("The column %s fits better: %d of its addresses are members'.", schema.Quote(d.Header[best]), count)
		return refused.WithFix("Read the addresses from there: --address %q.", d.Header[best])
	case matched > 0:
		return refused.WithFix("Check that this is your own directory's list. If it is, say that the column is right: --address %q.", d.Column)
	}
	return refused.WithFix("Check that this is your own directory's list, and export it again with the addresses that people have here.")
}

// foreignDomains counts the rows whose address lies in a domain that the organization does not hold; none
// where it holds no domain at all.
func (p *People) foreignDomains(ctx context.Context, organization string, d *list) (int, error) {
	domains, err := p.Store.Domains(ctx, organization)
	if err != nil {
		return 0, err
	}
	held := map[string]bool{}
	for _, domain := range domains {
		if domain.Status != schema.DomainPending {
			held[domain.Domain] = true
		}
	}
	foreign := 0
	for _, entry := range d.entries {
		if !held[schema.KeyDomain(entry.Key)] && len(held) > 0 {
			foreign++
		}
	}
	return foreign, nil
}

// bestColumn finds the column of the list with the most addresses that are members', and how many those are;
// -1: no column has any.
func (p *People) bestColumn(ctx context.Context, organization string, source dialect.Source, address string, width int) (best, count int, err error) {
	var keys []string // in order, as they come
	err = p.Store.Members(ctx, p.Rules(), organization, store.MemberFilter{NoProfile: true}, func(views []claim.View) error {
		for i := range views {
			keys = append(keys, views[i].Key)
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return directory.Fullest(ctx, source, p.listOptions(address), width, func(key string) bool {
		_, found := slices.BinarySearch(keys, key)
		return found
	})
}

// asSpelt returns the spellings of an address as the list has them, but for those that differ from the
// account's only in the form of the domain or in how letters are composed: they are the account's.
func asSpelt(listed []string, email string) []string {
	for i, spelling := range listed {
		if spelling != email && directory.SameSpelling(spelling, email) {
			listed[i] = email
		}
	}
	return listed
}

// walk goes through the list by key, beside something else that is in the same order.
type walk struct {
	rest  []directory.Entry
	spelt []string
}

// upTo hands over the entries before a key, once each, and returns every spelling of the key itself.
func (w *walk) upTo(key string, before func(directory.Entry)) []string {
	for len(w.rest) > 0 && w.rest[0].Key < key {
		w.skip(before)
	}
	w.spelt = w.spelt[:0]
	for len(w.rest) > 0 && w.rest[0].Key == key {
		w.spelt = append(w.spelt, w.rest[0].Email)
		w.rest = w.rest[1:]
	}
	return w.spelt
}

// end hands over what is left.
func (w *walk) end(left func(directory.Entry)) {
	for len(w.rest) > 0 {
		w.skip(left)
	}
}

// skip hands over the first entry, and passes by all others of its key.
func (w *walk) skip(hand func(directory.Entry)) {
	first := w.rest[0]
	hand(first)
	for len(w.rest) > 0 && w.rest[0].Key == first.Key {
		w.rest = w.rest[1:]
	}
}
