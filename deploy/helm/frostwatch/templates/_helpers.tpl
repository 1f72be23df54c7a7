{{/* The stages, each a Deployment. */}}
{{- define "frostwatch.stages" -}}ingest infer alerts archive notify calibrate console{{- end }}

{{/* frostwatch.runs of (list . stage): the archive runs where there is something to write to. */}}
{{- define "frostwatch.runs" -}}
{{- $root := index . 0 }}{{ $stage := index . 1 }}
{{- $bucket := default "none" (default dict $root.Values.config.archive).bucket }}
{{- if and (index $root.Values.stages $stage).enabled (or (ne $stage "archive") (ne $bucket "none") $root.Values.archiveVolume) }}true{{ end }}
{{- end }}

{{- define "frostwatch.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for what is appended. */}}
{{- define "frostwatch.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "frostwatch.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "frostwatch.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "frostwatch.selector" -}}
app.kubernetes.io/name: {{ include "frostwatch.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "frostwatch.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "frostwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "frostwatch.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "frostwatch.fullname" .) .Values.serviceAccount.name | quote }}{{ else }}{{ default "default" .Values.serviceAccount.name | quote }}{{ end }}
{{- end }}

{{/* frostwatch.image of (list . stage): the one with CUDA for infer on a GPU. */}}
{{- define "frostwatch.image" -}}
{{- $root := index . 0 }}{{ $image := $root.Values.image }}
{{- $cuda := and (eq (index . 1) "infer") $root.Values.stages.infer.gpu.enabled }}
{{- $digest := ternary $image.cudaDigest $image.digest $cuda }}
{{- if $digest }}{{ $image.repository }}@{{ $digest }}
{{- else }}{{ $image.repository }}:{{ default $root.Chart.AppVersion $image.tag }}{{ if $cuda }}-cuda{{ end }}
{{- end }}
{{- end }}

{{/* What the chart says of the configuration, over what the values say. */}}
{{- define "frostwatch.config" -}}
{{- $c := mergeOverwrite (dict "log" (dict "format" "json")) (deepCopy .Values.config) }}
{{- $own := dict "http" (dict "listen" "0.0.0.0:8080") "ingest" (dict "packets" (dict "dir" "/var/lib/frostwatch/packets")) "cameras" .Values.cameras "rules" .Values.rules }}
{{- with .Values.model.bundle }}{{ $_ := set $own "infer" (dict "bundle" (printf "/models/%s" .)) }}{{ end }}
{{- if .Values.archiveVolume }}{{ $_ := set $own "archive" (dict "bucket" "/archive") }}{{ end }}
{{- $c = mergeOverwrite $c $own }}
{{- if .Values.stages.infer.gpu.enabled }}
{{- $c = mergeOverwrite (dict "infer" (dict "provider" "cuda")) $c }}
{{- end }}
{{- if .Values.console.expose }}
{{- $known := default dict .Values.config.console }}
{{- if not (or $known.users $known.tokens) }}{{ fail "console.expose: want config.console.users or tokens: whoever reaches the console sees all cameras (docs/console.md)" }}{{ end }}
{{- if not .Values.console.host }}{{ fail "console.expose: want console.host, the name by which it is reached" }}{{ end }}
{{- $console := dict "listen" "0.0.0.0:8070" "hosts" (list .Values.console.host) }}
{{- if not $known.tls }}{{ $_ := set $console "tls" (dict "mode" "proxy") }}{{ end }}
{{- with .Values.console.proxies }}{{ $_ := set $console "proxies" . }}{{ end }}
{{- $c = mergeOverwrite $c (dict "console" $console) }}
{{- end }}
{{- toYaml $c }}
{{- end }}

{{/* Changes when something does that takes effect at a start only. The keys taken out are
those that stages take over as soon as the file changes (docs/configuration.md). */}}
{{- define "frostwatch.restart" -}}
{{- $c := include "frostwatch.config" . | fromYaml }}
{{- $_ := unset $c "cameras" }}{{ $_ = unset $c "rules" }}
{{- range $section, $keys := dict "infer" (list "bundle") "notify" (list "receivers" "profiles" "verify") "console" (list "users" "tokens" "hosts" "proxies") }}
{{- with index $c $section }}{{ $it := . }}{{ range $keys }}{{ $_ := unset $it . }}{{ end }}{{ end }}
{{- end }}
{{- toJson $c | sha256sum }}
{{- end }}

{{/* Ports of addresses such as host:port. */}}
{{- define "frostwatch.ports" -}}
{{- $out := list }}
{{- range . }}{{ $out = append $out (splitList ":" (toString .) | last | int) }}{{ end }}
{{- $out | uniq | toJson }}
{{- end }}

{{/* frostwatch.noSecrets of (list path key value) refuses what looks like a secret in clear in
config.notify: it would lie in a ConfigMap. What is in ${NAME} is none. */}}
{{- define "frostwatch.noSecrets" -}}
{{- $path := index . 0 }}{{ $key := index . 1 }}{{ $v := index . 2 }}
{{- if kindIs "map" $v }}{{ range $k, $x := $v }}{{ include "frostwatch.noSecrets" (list (printf "%s.%s" $path $k) $k $x) }}{{ end }}
{{- else if kindIs "slice" $v }}{{ range $i, $x := $v }}{{ include "frostwatch.noSecrets" (list (printf "%s[%d]" $path $i) $key $x) }}{{ end }}
{{- else if kindIs "string" $v }}
{{- $name := "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}" }}
{{- $clear := regexReplaceAll $name $v "" }}
{{- $part := regexFind "/[A-Za-z0-9_-]{20,}" (regexReplaceAll "^[a-z]+://[^/]*" $clear "") }}
{{- $refers := regexMatch $name $v }}
{{- $file := hasPrefix "/" $v }}
{{- $secret := and $v (not $refers) (not $file) (regexMatch "(?i)(pass|secret|token|auth|cookie|cred|api.?key|^key$)" $key) }}
{{- $login := regexMatch "://[^/@]*:[^/@]+@" $clear }}
{{- $token := and (eq $key "url") (regexMatch "[0-9]" $part) (regexMatch "[A-Za-z]" $part) }}
{{- $people := and (hasSuffix ".people.url" $path) (not $refers) }}
{{- if or $secret $login $token $people }}{{ fail (printf "%s: what looks like a password or token in clear would lie in a ConfigMap: write ${NAME} in its place, and put NAME into a Secret of yours that secrets.env names (docs/deploy.md)" $path) }}{{ end }}
{{- end }}
{{- end }}

{{/* frostwatch.lag of (list . stage): the consumer group and the topic of which KEDA asks how
much waits. Groups have the topics' prefix unless that is the default one (topics.Names). */}}
{{- define "frostwatch.lag" -}}
{{- $root := index . 0 }}{{ $stage := index . 1 }}
{{- $kafka := $root.Values.config.kafka }}
{{- $prefix := default "frostwatch." $kafka.prefix }}
{{- $of := default dict (index $root.Values.config $stage) }}
{{- $group := default (printf "frostwatch-%s" $stage) $of.group }}
{{- if eq $stage "archive" }}{{ $group = printf "%s-actions" $group }}{{ end }}
{{- if ne $prefix "frostwatch." }}{{ $group = printf "%s%s" $prefix $group }}{{ end }}
{{- dict "group" $group "topic" (printf "%s%s" $prefix (ternary "clips" "actions" (eq $stage "infer"))) | toJson }}
{{- end }}
