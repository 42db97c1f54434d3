package tools

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// An object is a JSON object whose members keep their order.
type object struct{ members []string }

func (o *object) raw(name, value string) *object {
	o.members = append(o.members, quoteJSON(name)+":"+value)
	return o
}

func (o *object) text(name, value string) *object { return o.raw(name, quoteJSON(value)) }

func (o *object) number(name string, value int64) *object {
	return o.raw(name, strconv.FormatInt(value, 10))
}

func (o *object) nullableText(name string, value *string) *object {
	if value == nil {
		return o.raw(name, "null")
	}
	return o.text(name, *value)
}

func (o *object) bytes(name string, value []byte) *object {
	return o.text(name, base64.StdEncoding.EncodeToString(value))
}

func (o *object) list(name string, values []string) *object {
	return o.raw(name, "["+strings.Join(values, ",")+"]")
}

func (o *object) String() string { return "{" + strings.Join(o.members, ",") + "}" }

// quoteJSON quotes as Jackson does: only what JSON itself asks for.
func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
