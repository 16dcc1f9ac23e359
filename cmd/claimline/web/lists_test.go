package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/schema"
)

// The service takes directory lists as the command does, here at the API.
func TestDirectoryLists(t *testing.T) {
	s := start(t, options{idle: true})
	list, err := os.ReadFile(filepath.Join(samples, "directories", "ldifde.ldf"))
	require.NoError(t, err)
	preview := func(query string) answered {
		return s.ask(http.MethodPost, api.Prefix+"/directory/preview"+query, asked{
			token: s.tokens[schema.RoleViewer], media: "text/csv", body: strings.NewReader(string(list)),
		})
	}
	var found api.Directory
	preview("?file=people.ldf").into(t, &found)
	assert.Equal(t, 518, found.Counts[schema.SyncKeep])
	assert.Equal(t, 10, found.Counts[schema.SyncDeactivate])
	assert.Equal(t, schema.CodeEncodingUnknown, preview("?file=people.csv").code())
}
