{{/* frostwatch.env of (list . stage): variables, all of them by reference. */}}
{{- define "frostwatch.env" -}}
{{- $root := index . 0 }}{{ $stage := index . 1 }}
{{- $names := $root.Values.secrets.env }}
{{- if has $stage (list "ingest" "console") }}{{ $names = concat $names $root.Values.secrets.cameras }}{{ end }}
{{- with $names }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ quote . }}}
  {{- end }}
{{- end }}
env:
  # Where the demo model and TensorRT's engines are kept.
  - {name: HOME, value: /var/lib/frostwatch}
  {{- with (index $root.Values.stages $stage).env }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{/* frostwatch.mounts of (list . stage) and frostwatch.volumes of the same: the root is read-only. */}}
{{- define "frostwatch.mounts" -}}
{{- $root := index . 0 }}{{ $stage := index . 1 }}
volumeMounts:
  # The folder, not the file: an edit then reaches the running process.
  - {name: config, mountPath: /etc/frostwatch, readOnly: true}
  - {name: data, mountPath: /var/lib/frostwatch}
  - {name: tmp, mountPath: /tmp}
  {{- if eq $stage "ingest" }}
  - {name: packets, mountPath: /var/lib/frostwatch/packets}
  {{- end }}
  {{- if and $root.Values.model.volume (has $stage (list "ingest" "infer" "doctor")) }}
  - {name: models, mountPath: /models, readOnly: true}
  {{- end }}
  {{- if and $root.Values.archiveVolume (ne $stage "infer") }}
  - {name: archive, mountPath: /archive}
  {{- end }}
  {{- range $i, $f := $root.Values.secrets.files }}
  - {name: secret-{{ $i }}, mountPath: {{ quote $f.path }}, readOnly: true}
  {{- end }}
{{- end }}

{{- define "frostwatch.volumes" -}}
{{- $root := index . 0 }}{{ $stage := index . 1 }}
volumes:
  - name: config
    configMap: {name: {{ include "frostwatch.fullname" $root }}}
  - name: data
    emptyDir: {}
  - name: tmp
    emptyDir: {}
  {{- if eq $stage "ingest" }}
  - name: packets
    {{- toYaml $root.Values.stages.ingest.packets | nindent 4 }}
  {{- end }}
  {{- if and $root.Values.model.volume (has $stage (list "ingest" "infer" "doctor")) }}
  - name: models
    {{- toYaml $root.Values.model.volume | nindent 4 }}
  {{- end }}
  {{- if and $root.Values.archiveVolume (ne $stage "infer") }}
  - name: archive
    {{- toYaml $root.Values.archiveVolume | nindent 4 }}
  {{- end }}
  {{- range $i, $f := $root.Values.secrets.files }}
  - name: secret-{{ $i }}
    secret: {secretName: {{ quote $f.secret }}, defaultMode: 0440}
  {{- end }}
{{- end }}

{{- define "frostwatch.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}
