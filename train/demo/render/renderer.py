"""Draws takes off screen with OpenGL: one draw for all capsules, one for all boxes, a shadow map before them."""

import moderngl
import numpy as np

from ..stage import Take
from . import shaders
from .camera import Camera, people_points
from .look import LIGHTS, Look
from .meshes import BOX_FLOATS, CAPSULE_FLOATS, box_mesh, capsule_mesh, moved
from .parts import changed, front_first, touching
from .people import near_spheres, person_rows
from .places import place_rows
from .things import thing_rows
from .weather import falling_rows

MAX_ROWS = 4096
SHADOW, FINE_SHADOW = 256, 768
NEAR = 32  # spheres that darken what is near them, at most


class Renderer:
    """Owns a GL context of its own; use it in the thread that made it and release it in the end."""

    def __init__(self, width: int, height: int, samples: int = 4, fine: bool = False) -> None:
        """fine draws rounder bodies, sharper shadows and softer light, which no training picture has."""
        self.width, self.height, self.fine = width, height, fine
        self.gl = gl = moderngl.create_context(standalone=True, backend="egl")
        gl.enable(moderngl.DEPTH_TEST)
        self._capsules, self._boxes = gl.buffer(reserve=MAX_ROWS * CAPSULE_FLOATS * 4), gl.buffer(reserve=MAX_ROWS * BOX_FLOATS * 4)
        rod = capsule_mesh(12, 3) if fine else capsule_mesh()
        self._rod, self._cube = gl.buffer(rod.tobytes()), gl.buffer(box_mesh().tobytes())
        self._scene = self._programs(shaders.FINE if fine else shaders.FRAGMENT)
        self._dark = self._programs(shaders.DEPTH)
        self._shade = gl.depth_texture((FINE_SHADOW,) * 2 if fine else (SHADOW, SHADOW))
        self._shade.compare_func = "<="
        self._lamp = gl.framebuffer(depth_attachment=self._shade)
        size = (width, height)
        self._many = gl.framebuffer(gl.renderbuffer(size, 4, samples=samples), gl.depth_renderbuffer(size, samples=samples))
        self._one = gl.framebuffer(gl.renderbuffer(size, 4))

    def _programs(self, fragment: str) -> list[tuple[moderngl.Program, moderngl.VertexArray]]:
        rods = self.gl.program(vertex_shader=shaders.CAPSULE, fragment_shader=fragment)
        cubes = self.gl.program(vertex_shader=shaders.BOX, fragment_shader=fragment)
        return [(rods, self._array(rods, (self._rod, ("unit", 4)), (
                    self._capsules, ("a", 3), ("b", 3), ("radius", 2), ("tint", 3)))),
                (cubes, self._array(cubes, (self._cube, ("at", 3), ("out_", 3)), (
                    self._boxes, ("ax", 3), ("ay", 3), ("az", 3), ("centre", 3), ("tint", 3), ("texture_", 1))))]

    def _array(self, program: moderngl.Program, *parts: tuple) -> moderngl.VertexArray:
        content = []
        for (buffer, *fields), step in zip(parts, ("", "/i"), strict=True):
            layout = " ".join(f"{n}f" if name in program else f"{4 * n}x" for name, n in fields) + step
            content.append((buffer, layout, *[name for name, _ in fields if name in program]))
        return self.gl.vertex_array(program, content)

    def render(self, take: Take, look: Look, camera: Camera, around: Take | None = None) -> np.ndarray:
        """uint8 (frames, height, width, 3), sRGB. The place is built around the people of the take, or of `around`."""
        points = people_points(around or take)
        low, high = points.min(0), points.max(0)
        centre = (low + high) / 2
        reach = float(np.linalg.norm((high - low)[[0, 2]]) / 2)
        away = (centre - camera.eye) * (1, 0, 1)
        still = place_rows(look, centre, away / np.linalg.norm(away), reach)
        people = [person_rows(a, look.clothes[i % len(look.clothes)], self.fine) for i, a in enumerate(take.actors)]
        things = [(t.pose, thing_rows(t.kind, t.size)) for t in take.things]
        self._light(look, camera, centre, max(reach, 1.2) + 1.2)
        if self.fine:
            return self._film(take, look, camera, (still, people, things))
        out = np.empty((len(take.times), self.height, self.width, 3), np.uint8)
        for frame in range(len(out)):
            drops = falling_rows(look, centre, float(take.times[frame]))
            rods, boxes = _of_frame(frame, still, people, things)
            out[frame] = self._draw(np.concatenate([drops, rods]), boxes, look)
        return out

    def _film(self, take: Take, look: Look, camera: Camera, rows: tuple) -> np.ndarray:
        """As render, but what never moves is drawn once, and then only the part of each frame that changes."""
        still, people, things = rows
        self._darken(take, None)
        resting = [(pose, own) for pose, own in things if (pose == pose[0]).all()]
        empty = self._draw(*_of_frame(0, still, [], resting), look)
        out = np.repeat(empty[None], len(take.times), 0)
        for frame in range(len(out)):
            part = changed(take, frame, camera, look.sun, (self.width, self.height))
            if part is not None:
                self._darken(take, frame)
                left, top, right, bottom = part
                out[frame, top:bottom, left:right] = self._draw(*_of_frame(frame, still, people, things), look, part)
        return out

    def _light(self, look: Look, camera: Camera, centre: np.ndarray, reach: float) -> None:
        right = np.cross(look.sun, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        view = np.eye(4)
        view[:3, :3] = right / reach, np.cross(right, -look.sun) / reach, -look.sun / 12
        view[:3, 3] = -view[:3, :3] @ centre
        self._lamp_clip, self._camera_clip = view, camera.matrix()
        light, ambient, sky = (np.array(c) for c in LIGHTS[look.light])
        fog = {"fog": 0.06, "rain": 0.02, "snow": 0.025}.get(look.weather, 0.0 if look.indoor else 0.006)
        values = {"clip": camera.matrix().T, "lamp": view.T, "sun": look.sun, "light": light, "ambient": ambient,
                  "haze": sky, "eye": camera.eye}
        for program, _ in self._scene:
            for name, value in values.items():
                if name in program:
                    program[name].write(np.ascontiguousarray(value, "f4").tobytes())
            program["fog"].value = fog
        for program, _ in self._dark:
            program["clip"].write(np.ascontiguousarray(view.T, "f4").tobytes())

    def _darken(self, take: Take, frame: int | None) -> None:
        """Gives the shader the bodies of a frame as spheres."""
        spots = [near_spheres(a, frame) for a in take.actors] if frame is not None else []
        rows = np.concatenate([np.zeros((0, 4)), *spots])[:NEAR]
        middle = rows[:, :3].mean(0) if len(rows) else np.zeros(3)
        reach = float(np.linalg.norm(rows[:, :3] - middle, axis=1).max(initial=0)) + 0.8
        whole = np.zeros((NEAR, 4), "f4")
        whole[: len(rows)] = rows
        for program, _ in self._scene:
            if "near_" in program:  # of what has no texture it is not asked
                program["near_"].write(whole.tobytes())
                program["count"].value = len(rows)
                program["body"].value = (*middle, reach)

    def _draw(self, rods: np.ndarray, boxes: np.ndarray, look: Look,
              part: tuple[int, int, int, int] | None = None) -> np.ndarray:  # fmt: skip
        """uint8 (height, width, 3): the picture, or a part of it as left, top, right, bottom."""
        if max(len(rods), len(boxes)) > MAX_ROWS:
            raise ValueError(f"draw frame: {len(rods)} capsules and {len(boxes)} boxes, at most {MAX_ROWS} of each")
        left, top, right, bottom = part or (0, 0, self.width, self.height)
        window = left, self.height - bottom, right - left, bottom - top
        lit = touching(rods, boxes, self._lamp_clip, (-1, -1, 1, 1)) if self.fine else (rods, boxes)
        self._lamp.use()
        self._lamp.clear(depth=1.0)
        self._show(self._dark, *lit)
        self._many.scissor = window if part else None
        self._many.use()
        sky = np.power(np.clip(LIGHTS[look.light][2], 0, 1), 1 / 2.2)
        self._many.clear(*sky, 1.0, depth=1.0)
        self._shade.use()
        if self.fine:
            size = np.array([self.width, self.height])
            seen = np.concatenate([2 * np.array(window[:2]) / size - 1, 2 * (np.array(window[:2]) + window[2:]) / size - 1])
            rods, boxes = touching(rods, boxes, self._camera_clip, tuple(seen))
            boxes = boxes[np.argsort(front_first(boxes, self._camera_clip))]  # what is hidden needs no light
        self._show(self._scene, rods, boxes)
        self._many.scissor = None
        self.gl.copy_framebuffer(self._one, self._many)
        raw = np.frombuffer(self._one.read(window, components=3, alignment=1), np.uint8)
        return raw.reshape(window[3], window[2], 3)[::-1]

    def _show(self, programs: list[tuple[moderngl.Program, moderngl.VertexArray]], rods: np.ndarray, boxes: np.ndarray) -> None:
        for (_, array), buffer, rows in zip(programs, (self._capsules, self._boxes), (rods, boxes), strict=True):
            if len(rows):
                buffer.orphan()
                buffer.write(np.ascontiguousarray(rows, "f4").tobytes())
                array.render(instances=len(rows))

    def release(self) -> None:
        """Give the context and all that lives in it back."""
        self.gl.release()


def _of_frame(frame: int, still: tuple, people: list[np.ndarray], things: list[tuple]) -> tuple[np.ndarray, np.ndarray]:
    """Capsule and box rows of a frame."""
    parts = [still, *[moved(rows, pose[frame]) for pose, rows in things]]
    return np.concatenate([*[p[frame] for p in people], *[p[0] for p in parts]]), np.concatenate([p[1] for p in parts])
