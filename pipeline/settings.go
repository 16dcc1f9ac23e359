package pipeline

import (
	"context"

	"github.com/claimline/claimline/schema"
)

// SetOrganization changes settings of an organization and returns it as it is then. What time has made due is done
// first, under the old settings.
func (p *Pipeline) SetOrganization(ctx context.Context, organization string, change func(*schema.Organization)) (schema.Organization, error) {
	return p.Store.SetOrganization(ctx, p.rules(), organization, func(o *schema.Organization) error {
		change(o)
		return nil
	})
}
