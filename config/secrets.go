package config

import (
	"fmt"
	"reflect"

	"github.com/trailship/trailship/config/value"
)

// unread stands for a secret whose file cannot be read, so that nothing else seems to be missing.
const unread value.Secret = "unread"

// readSecrets fills each secret whose _file key is set from that file.
func readSecrets(r *report, cfg *Config) {
	walk("", reflect.ValueOf(cfg).Elem(), func(path string, all fields) {
		for _, f := range all {
			file, ok := all.find(f.key + "_file")
			if f.value.Type() != reflect.TypeFor[value.Secret]() || !ok || file.String() == "" {
				continue
			}
			at := join(path, f.key+"_file")
			if f.value.String() != "" {
				r.absorb(value.Wrong(at, "%s stands here too: keep one of them", f.key))
				continue
			}
			secret, err := value.ReadSecret(file.String())
			if err != nil {
				r.absorb(value.Wrong(at, "%v", err))
				secret = unread
			}
			f.value.Set(reflect.ValueOf(secret))
		}
	})
}

// walk calls visit with the fields of every struct of a configuration that has keys, outermost first.
func walk(path string, v reflect.Value, visit func(path string, all fields)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(path, v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i), visit)
		}
	case reflect.Struct:
		all := fieldsOf(v)
		visit(path, all)
		for _, f := range all {
			walk(join(path, f.key), f.value, visit)
		}
	}
}
