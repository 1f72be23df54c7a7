"""Draws takes as a surveillance camera would see them."""

from .camera import Camera, frame_camera
from .grade import Grade, grade, sample_grade
from .look import Clothes, Look, sample_look
from .project import project
from .renderer import Renderer

__all__ = ["Camera", "Clothes", "Grade", "Look", "Renderer", "frame_camera", "grade", "project", "sample_grade", "sample_look"]
