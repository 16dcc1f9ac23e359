package main

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline-bench/input"
)

func TestRunMakesInputs(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"generate", "-users", "3", dir}, &stdout, &stderr), stderr.String())
	var stats input.Stats
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &stats))
	assert.Equal(t, 3, stats.Rows)
	assert.FileExists(t, filepath.Join(dir, "users.csv"))
	require.Zero(t, run(t.Context(), []string{"samples", dir}, io.Discard, &stderr), stderr.String())
	assert.FileExists(t, filepath.Join(dir, "good.csv"))
}

func TestRunRefusesWrongUse(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"nothing", nil, 2},
		{"unknown command", []string{"sing", dir}, 2},
		{"unknown flag", []string{"generate", "-louder", dir}, 2},
		{"no folder", []string{"generate"}, 2},
		{"help", []string{"generate", "-h"}, 0},
		{"no users", []string{"generate", "-users", "0", dir}, 1},
		{"a share above one", []string{"generate", "-bad", "2", dir}, 1},
		{"a file where the folder should be", []string{"samples", "main.go"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			assert.Equal(t, tt.want, run(t.Context(), tt.args, io.Discard, &stderr))
			assert.NotEmpty(t, stderr.String())
		})
	}
}
