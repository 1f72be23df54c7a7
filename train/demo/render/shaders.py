"""The two vertex shaders (capsule, box) and the fragment shaders that they share: FRAGMENT of all training, FINE of films."""

CAPSULE = """#version 330
uniform mat4 clip; in vec4 unit; in vec3 a; in vec3 b; in vec2 radius; in vec3 tint;
out vec3 place; out vec3 normal; out vec3 colour; flat out float kind;
void main() {
  vec3 d = b - a; float l = length(d); vec3 y = l > 1e-5 ? d / l : vec3(0, 1, 0);
  vec3 x = normalize(cross(abs(y.y) > 0.9 ? vec3(1, 0, 0) : vec3(0, 1, 0), y)); vec3 z = cross(x, y);
  vec3 n = x * unit.x + y * unit.y + z * unit.z;
  place = mix(a, b, unit.w) + n * mix(radius.x, radius.y, unit.w);
  normal = n; colour = tint; kind = 0.0; gl_Position = clip * vec4(place, 1);
}"""
BOX = """#version 330
uniform mat4 clip; in vec3 at; in vec3 out_; in vec3 ax; in vec3 ay; in vec3 az; in vec3 centre; in vec3 tint; in float texture_;
out vec3 place; out vec3 normal; out vec3 colour; flat out float kind;
void main() {
  place = centre + ax * at.x + ay * at.y + az * at.z;
  normal = normalize(ax * out_.x / dot(ax, ax) + ay * out_.y / dot(ay, ay) + az * out_.z / dot(az, az));
  colour = tint; kind = texture_; gl_Position = clip * vec4(place, 1);
}"""
DEPTH = """#version 330
void main() {}"""
_TEXTURES = """#version 330
uniform mat4 lamp; uniform vec3 sun; uniform vec3 light; uniform vec3 ambient; uniform vec3 haze;
uniform float fog; uniform vec3 eye;
uniform sampler2DShadow shade;
in vec3 place; in vec3 normal; in vec3 colour; flat in float kind; out vec4 pixel;
float hash(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + 1.0), f.x), f.y);
}
float texel(vec2 p, int k) {
  if (k == 1) return 0.65 + 0.4 * noise(p * 9.0) + 0.25 * noise(p * 1.3);
  if (k == 2) { vec2 t = fract(p * 1.8); return (min(t.x, t.y) < 0.05 ? 0.55 : 0.9 + 0.15 * hash(floor(p * 1.8))); }
  if (k == 3) { float r = floor(p.y * 6.0); float e = fract(p.y * 6.0) < 0.07 ? 0.6 : 1.0;
    return e * (0.8 + 0.25 * hash(vec2(r, floor(p.x * 0.7 + hash(vec2(r)))))) + 0.08 * noise(vec2(p.x * 3.0, p.y * 50.0)); }
  if (k == 4) return 0.85 + 0.25 * noise(p * 22.0) + 0.1 * noise(p * 0.8);
  if (k == 5) { vec2 q = p * vec2(4.0, 11.0); q.x += 0.5 * mod(floor(q.y), 2.0); vec2 t = fract(q);
    return (t.x < 0.06 || t.y < 0.13) ? 1.25 : 0.8 + 0.25 * hash(floor(q)); }
  if (k == 6) return 0.95 + 0.08 * noise(p * 5.0);
  return 0.8 + 0.2 * noise(p * 3.0) + 0.12 * noise(p * 17.0);
}
"""
FRAGMENT = _TEXTURES + """void main() {
  vec3 n = normalize(normal), base = colour; int k = int(kind + 0.5);
  if (k == 8) { pixel = vec4(pow(min(base, 1.0), vec3(1.0 / 2.2)), 1); return; }
  if (k > 0) { vec3 m = abs(n); base *= texel(m.y > 0.6 ? place.xz : (m.x > m.z ? place.zy : place.xy), k); }
  vec4 s = lamp * vec4(place + n * 0.03, 1); vec3 q = s.xyz / s.w * 0.5 + 0.5; float lit = 0.0;
  if (all(greaterThan(q, vec3(0))) && all(lessThan(q, vec3(1)))) {
    vec2 t = 0.9 / vec2(textureSize(shade, 0));
    lit = 0.25 * (texture(shade, q + vec3(t, 0)) + texture(shade, q + vec3(-t, 0))
        + texture(shade, q + vec3(t.x, -t.y, 0)) + texture(shade, q + vec3(-t.x, t.y, 0)));
  } else lit = 1.0;
  float low = k == 0 ? 0.7 + 0.3 * smoothstep(0.0, 0.5, place.y) : 1.0;
  vec3 sum = base * (ambient * (0.7 + 0.3 * n.y) * low + light * max(dot(n, sun), 0.0) * lit * 0.75);
  vec3 way = eye - place; float far = length(way);
  sum += light * lit * 0.05 * pow(max(dot(n, normalize(sun + way / far)), 0.0), 24.0);
  sum = mix(haze, sum, exp(-fog * far));
  pixel = vec4(pow(sum / (1.0 + 0.28 * sum), vec3(1.0 / 2.2)), 1);
}"""
# Soft shadows, light from the sky and the ground, and darkness where bodies are near a floor or wall (spheres in `near_`).
FINE = _TEXTURES + """
uniform vec4 near_[32]; uniform int count; uniform vec4 body;
float open(vec3 n) {
  float out_ = 1.0;
  if (distance(place, body.xyz) > body.w) return out_;
  for (int i = 0; i < count; i++) {
    vec3 d = near_[i].xyz - place; float l = max(length(d), 0.02);
    out_ *= 1.0 - 0.75 * clamp(dot(n, d / l), 0.0, 1.0) * min(near_[i].w * near_[i].w / (l * l), 1.0);
  }
  return out_;
}
float shone(vec3 n) {
  vec4 s = lamp * vec4(place + n * 0.025, 1); vec3 q = s.xyz / s.w * 0.5 + 0.5;
  if (any(lessThan(q, vec3(0))) || any(greaterThan(q, vec3(1)))) return 1.0;
  vec2 t = 1.1 / vec2(textureSize(shade, 0));
  return 0.25 * (texture(shade, q + vec3(t, 0)) + texture(shade, q + vec3(-t, 0))
      + texture(shade, q + vec3(t.x, -t.y, 0)) + texture(shade, q + vec3(-t.x, t.y, 0)));
}
void main() {
  vec3 n = normalize(normal), base = colour; int k = int(kind + 0.5);
  if (k == 8) { pixel = vec4(pow(min(base, 1.0), vec3(1.0 / 2.2)), 1); return; }
  if (k > 0) { vec3 m = abs(n); base *= texel(m.y > 0.6 ? place.xz : (m.x > m.z ? place.zy : place.xy), k); }
  float grey = dot(base, vec3(0.3, 0.55, 0.15)); base = mix(vec3(grey), base, 0.82);
  float low = k == 0 ? 0.72 + 0.28 * smoothstep(0.0, 0.7, place.y)
      : 0.8 + 0.2 * smoothstep(0.0, 0.5, place.y + 1.5 * step(0.6, n.y));
  float dark = k > 0 ? open(n) : 1.0, lit = shone(n);
  vec3 sky = mix(ambient * vec3(0.62, 0.58, 0.52), ambient, 0.5 + 0.5 * n.y);
  vec3 sum = base * (sky * low * dark + light * max(dot(n, sun), 0.0) * lit * 0.75 * (0.5 + 0.5 * dark));
  vec3 way = eye - place; float far = length(way);
  float rim = pow(1.0 - max(dot(n, way / far), 0.0), 3.0);
  sum += ambient * rim * (k == 0 ? 0.10 : 0.0);
  sum = mix(haze, sum, exp(-fog * far));
  pixel = vec4(pow(sum / (1.0 + 0.28 * sum), vec3(1.0 / 2.2)), 1);
}"""
