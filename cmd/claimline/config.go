package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/schema"
)

// config is what an operator may set, in a YAML file.
type config struct {
	DB      string        `koanf:"db"`
	Org     string        `koanf:"org"`
	Workers int           `koanf:"workers" validate:"min=1,max=1024"`
	Lease   time.Duration `koanf:"lease" validate:"min=100ms"` // how long an import stays with a process that has died
	Retry   time.Duration `koanf:"retry" validate:"min=0s"`    // how long an import that meets passing trouble tries again before it stops
	Limits  limits        `koanf:"limits"`

	TransactionRows int `koanf:"transaction_rows" validate:"min=1"` // of an import that one transaction applies, about

	Resolver        string        `koanf:"resolver" validate:"omitempty,hostname_port"` // name server that domains are looked up with; blank: the system's
	ResolverTimeout time.Duration `koanf:"resolver_timeout" validate:"min=1ms"`         // of one question to one server

	Policy  schema.Policy `koanf:"policy"`
	Service service       `koanf:"service"`
	TLS     tlsFiles      `koanf:"tls"`
	SMTP    smtpConfig    `koanf:"smtp"`
}

// service is how requests are answered, and how the work is done that nobody attends.
type service struct {
	ImportsPerOrganization int           `koanf:"imports_per_organization" validate:"min=1"` // worked on at once
	Retry                  time.Duration `koanf:"retry" validate:"min=0s"`                   // as config.Retry

	Listen         string   `koanf:"listen" validate:"hostname_port"`                   // where serve answers
	MetricsListen  string   `koanf:"metrics_listen" validate:"omitempty,hostname_port"` // where it answers to GET /metrics; blank: nowhere
	BaseURL        string   `koanf:"base_url" validate:"omitempty,http_url"`            // below which the pages are; blank: unknown
	UploadBytes    int64    `koanf:"upload_bytes" validate:"min=1"`                     // of one file
	Uploads        int      `koanf:"uploads" validate:"min=1,max=1024"`                 // files that are planned at once
	TrustedProxies []string `koanf:"trusted_proxies"`                                   // whose word on whom they forward for counts

	Templates string    `koanf:"templates"` // folder of mail templates; blank: the program's own
	Webhooks  []webhook `koanf:"webhooks"`

	Zone    string   `koanf:"zone"`    // of schedules that name none, and whose days calendars have; blank: the system's
	Folders []string `koanf:"folders"` // below which schedules may name files that are not added at a terminal
}

// tlsFiles are the files of a certificate, in PEM; blank: none, and what is said is not encrypted.
type tlsFiles struct {
	Certificate string `koanf:"certificate" validate:"required_with=Key"`
	Key         string `koanf:"key" validate:"required_with=Certificate"`
}

// limits are what a file may not exceed.
type limits struct {
	RecordBytes int `koanf:"record_bytes" validate:"min=1"`
	Columns     int `koanf:"columns" validate:"min=1"`
}

func defaults() config {
	return config{
		DB:      "sqlite:claimline.db",
		Workers: runtime.NumCPU(),
		Lease:   10 * time.Second,
		Retry:   30 * time.Second,
		Limits:  limits{RecordBytes: 1 << 20, Columns: 1000},

		TransactionRows: pipeline.DefaultTransactionRows,

		ResolverTimeout: 5 * time.Second,

		Policy: schema.DefaultPolicy(),
		Service: service{
			ImportsPerOrganization: 1, Retry: 10 * time.Minute,
			Listen: "127.0.0.1:8080", UploadBytes: 256 << 20, Uploads: 4, TrustedProxies: []string{}, Folders: []string{},
		},
		SMTP: smtpConfig{Security: string(notify.StartTLS), PerMinute: 60},
	}
}

// readConfig puts the configuration together. Refused with CodeConfigInvalid.
func (a *app) readConfig() (config, error) {
	standard, given := defaults(), koanf.New(".")
	path := a.configFile()
	if path != "" {
		if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			why := schema.Word("There is no configuration file of this name.")
			if err == nil {
				why = "The configuration cannot be a folder."
			}
			return config{}, schema.Refuse(schema.CodeConfigInvalid, "%s", why).At(path, 0, 0).Because(err).
				WithFix("Check the name given with --config or CLAIMLINE_CONFIG; without either, everything is as it is by default.")
		}
		if err := given.Load(file.Provider(path), yaml.Parser()); err != nil {
			return config{}, schema.Refuse(schema.CodeConfigInvalid, "The configuration cannot be read: %s.", cause(err)).At(path, 0, 0).Because(err)
		}
		var refused *schema.Error
		if standard.Policy, refused = takePreset(given); refused != nil {
			return config{}, refused.At(path, 0, 0)
		}
	}
	k := koanf.New(".")
	if err := k.Load(structs.Provider(standard, "koanf"), nil); err != nil {
		return config{}, fmt.Errorf("load the defaults: %w", err)
	}
	known := k.Keys()
	if path != "" {
		for _, key := range given.Keys() {
			if !slices.Contains(known, key) {
				return config{}, unknownKey(path, key, known)
			}
		}
		if err := k.Merge(given); err != nil {
			return config{}, fmt.Errorf("merge the configuration: %w", err)
		}
		if limit, ok := k.Get("policy.max_rows").(string); ok && strings.EqualFold(limit, "none") {
			_ = k.Set("policy.max_rows", 0)
		}
		if day, ok := k.Get("policy.delayed_created_until").(time.Time); ok { // what YAML makes of a date without quotes
			_ = k.Set("policy.delayed_created_until", day.Format(time.DateOnly))
		}
	}
	if err := knownWebhookKeys(path, k.Get("service.webhooks")); err != nil {
		return config{}, err
	}
	var c config
	if err := k.Unmarshal("", &c); err != nil {
		return config{}, schema.Refuse(schema.CodeConfigInvalid, "The configuration has a value of the wrong kind: %s.", lastLine(err)).At(path, 0, 0).Because(err)
	}
	check := validator.New()
	check.RegisterTagNameFunc(func(field reflect.StructField) string { return field.Tag.Get("koanf") })
	var invalid validator.ValidationErrors
	if err := check.Struct(&c); errors.As(err, &invalid) {
		_, key, _ := strings.Cut(invalid[0].Namespace(), ".")
		must := schema.Say("at least %s", invalid[0].Param())
		switch invalid[0].Tag() {
		case "max":
			must = schema.Say("at most %s", invalid[0].Param())
		case "datetime":
			must = schema.Say("a date like %s", invalid[0].Param())
		case "oneof":
			must = schema.Say("one of %s", strings.Join(strings.Fields(invalid[0].Param()), ", "))
		case "hostname_port":
			must = schema.Say("HOST:PORT")
		case "http_url":
			must = schema.Say("the address of a service, as in https://claims.acme.example")
		case "required_with":
			must = schema.Say("there where the other one is")
		}
		return config{}, schema.Refuse(schema.CodeConfigInvalid, "The configuration's %s must be %s.", key, must).At(path, 0, 0)
	}
	if err := c.checkMail(); err != nil {
		return config{}, err.At(path, 0, 0)
	}
	c.DB = first(a.flags.db, a.env("CLAIMLINE_DB"), c.DB)
	c.Org = first(a.flags.org, a.env("CLAIMLINE_ORG"), c.Org)
	return c, nil
}

// takePreset takes the policy that the configuration begins with out of it: one that it names, as policy or,
// beside other keys, as policy.preset; else the standard one.
func takePreset(given *koanf.Koanf) (schema.Policy, *schema.Error) {
	const preset = "policy.preset"
	key := preset
	if _, named := given.Get("policy").(string); named {
		key = "policy"
	}
	if !given.Exists(key) {
		return schema.DefaultPolicy(), nil
	}
	name := fmt.Sprint(given.Get(key))
	policy, known := schema.PresetPolicy(name)
	if !known {
		refused := schema.Refuse(schema.CodeConfigInvalid, "The configuration's %s names no policy: %s.", key, schema.Quote(name))
		if near, ok := schema.Nearest([]string{name}, schema.Presets); ok {
			return policy, refused.WithFix("Did you mean %s?", near)
		}
		return policy, refused.WithFix("There is: %s.", strings.Join(schema.Presets, ", "))
	}
	given.Delete(key)
	return policy, nil
}

// configFile returns the configuration file; blank: there is none.
func (a *app) configFile() string { return first(a.flags.config, a.env("CLAIMLINE_CONFIG")) }

func unknownKey(path, key string, known []string) error {
	refused := schema.Refuse(schema.CodeConfigInvalid, "The configuration has a key that means nothing: %s.", key).At(path, 0, 0)
	if near, ok := schema.Nearest([]string{key}, known); ok {
		return refused.WithFix("Did you mean %s?", near)
	}
	return refused.WithFix("The keys are: %s.", strings.Join(known, ", "))
}

// lastLine finds where the decoder names the key, below its own headline.
func lastLine(err error) string {
	text := strings.TrimSpace(err.Error())
	return text[strings.LastIndexByte(text, '\n')+1:]
}
