package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// OptionalBool is a parameter of which it counts whether it is there.
type OptionalBool struct{ Value, Set bool }

// Schema implements huma.SchemaProvider.
func (*OptionalBool) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} }

// Receiver implements huma.ParamWrapper.
func (o *OptionalBool) Receiver() reflect.Value { return reflect.New(reflect.TypeFor[bool]()).Elem() }

// OnParamSet implements huma.ParamReactor.
func (o *OptionalBool) OnParamSet(set bool, parsed any) {
	o.Value, _ = parsed.(bool)
	o.Set = set
}

func (o *OptionalBool) pointer() *bool {
	if !o.Set {
		return nil
	}
	return &o.Value
}
